// Asks a running catalog everything that Backstage's own client can ask, and prints the answers.
import { stringifyEntityRef } from "@backstage/catalog-model";
import { CatalogClient, CATALOG_FILTER_EXISTS } from "@backstage/catalog-client";

const [base, ref, location] = process.argv.slice(2);
const client = new CatalogClient({ discoveryApi: { getBaseUrl: async () => `${base}/api/catalog` } });
const names = (items) => items.map((item) => item?.metadata.name ?? null);

async function pages(request) {
  const found = [];
  let response = await client.queryEntities(request);
  const { totalItems } = response;
  for (;;) {
    found.push(names(response.items));
    const cursor = response.pageInfo.nextCursor;
    if (!cursor) break;
    response = await client.queryEntities({ cursor, limit: request.limit });
  }
  let back = null;
  if (response.pageInfo.prevCursor) {
    const before = await client.queryEntities({
      cursor: response.pageInfo.prevCursor,
      limit: request.limit,
    });
    back = names(before.items);
  }
  return { totalItems, pages: found, back };
}

async function streamed(request) {
  const found = [];
  for await (const items of client.streamEntities(request)) found.push(...names(items));
  return found;
}

const entity = {
  apiVersion: "backstage.io/v1alpha1",
  kind: "Component",
  metadata: { name: "judged" },
  spec: { type: "service", lifecycle: "production", owner: "team-planeteers" },
};
const { spec, ...withoutSpec } = entity;
const related = ({ type, targetRef }) => `${type} ${targetRef}`;
const components = { kind: "component" };
const answers = {
  all: Object.fromEntries(
    (await client.getEntities()).items.map((item) => [
      stringifyEntityRef(item),
      item.relations.map(related),
    ]),
  ),
  filtered: (
    await client.getEntities({
      filter: [{ kind: ["API", "Group"] }, { "metadata.tags": CATALOG_FILTER_EXISTS }],
      fields: ["kind", "metadata.name"],
      order: { field: "metadata.name", order: "desc" },
      limit: 7,
      offset: 2,
    })
  ).items,
  byRefs: names(
    (await client.getEntitiesByRefs({ entityRefs: [ref, "component:default/none", ref] })).items,
  ),
  byRefsQuery: names(
    (
      await client.getEntitiesByRefs({
        entityRefs: [ref],
        query: { $not: { kind: "component" } },
        fields: ["metadata.name"],
      })
    ).items,
  ),
  byFilter: await pages({
    filter: components,
    limit: 20,
    orderFields: { field: "metadata.name", order: "asc" },
    fields: ["metadata.name"],
  }),
  byPredicate: await pages({
    query: { $all: [{ kind: "component" }, { $not: { "metadata.tags": "helmchart-deployable" } }] },
    filter: { "metadata.name": CATALOG_FILTER_EXISTS },
    limit: 10,
  }),
  byText: await pages({
    filter: components,
    fullTextFilter: { term: "agent", fields: ["metadata.name", "metadata.title"] },
    limit: 100,
  }),
  byRef: await client.getEntityByRef(ref),
  absent: (await client.getEntityByRef("component:default/none")) ?? null,
  ancestors: await client.getEntityAncestors({ entityRef: ref }),
  facets: (await client.getEntityFacets({ facets: ["kind", "spec.type"] })).facets,
  facetsQuery: (
    await client.getEntityFacets({ facets: ["kind"], query: { kind: { $in: ["api", "group"] } } })
  ).facets,
  locations: (await client.getLocations()).items,
  locationOfEntity: await client.getLocationByEntity(ref),
  queriedLocations: (await client.queryLocations({ query: { type: "file" } })).items,
  valid: await client.validateEntity(entity, location),
  invalid: await client.validateEntity(withoutSpec, location),
  refreshed: (await client.refreshEntity(ref)) ?? null,
  refreshedAbsent: await client
    .refreshEntity("component:default/none")
    .catch((e) => e.cause.name),
  added: await client.addLocation({ target: "https://example.com" }).catch((e) => e.body?.error),
  malformed: await client
    .queryEntities({ orderFields: { field: "kind", order: "sideways" } })
    .catch((e) => e.cause.name),
  streamed: await streamed({ filter: components, pageSize: 30, fields: ["metadata.name"] }),
};
console.log(JSON.stringify(answers));
