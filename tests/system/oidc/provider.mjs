// A real OpenID Connect provider for tests: everyone it knows is let in without being asked.
//   node provider.mjs PORT REDIRECT_URI
// /control?who=NAME       who signs in next
// /control?gone=NAME      someone it knows no more
// /control?groups=A,B     groups of who signs in next
import http from "node:http";
import { Provider } from "oidc-provider";

const [port, redirect] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const known = new Map(
  ["maya", "tom"].map((name) => [
    name,
    {
      name: `${name[0].toUpperCase()}${name.slice(1)} Example`,
      preferred_username: name,
      email: `${name}@example.org`,
      email_verified: true,
      groups: ["payments"],
    },
  ]),
);
let who = "maya";

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "pilothouse",
      client_secret: "a secret & of: tests, only",
      redirect_uris: [redirect],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
    },
  ],
  pkce: { required: () => true },
  scopes: ["openid", "offline_access", "profile", "email"],
  claims: {
    openid: ["sub"],
    profile: ["name", "preferred_username", "groups"],
    email: ["email", "email_verified"],
  },
  findAccount: (_context, id) =>
    known.has(id) ? { accountId: id, claims: () => ({ sub: id, ...known.get(id) }) } : undefined,
  features: { devInteractions: { enabled: false } },
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: ["of tests"] },
  ttl: { AccessToken: 60, Grant: 3600, IdToken: 60, Interaction: 60, RefreshToken: 3600, Session: 3600 },
});

async function interact(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  let result = { login: { accountId: who } };
  if (prompt.name === "consent") {
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    result = { consent: { grantId: await grant.save() } };
  }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

function control(url, response) {
  const asked = url.searchParams;
  if (asked.has("who")) who = asked.get("who");
  if (asked.has("gone")) known.delete(asked.get("gone"));
  if (asked.has("groups")) known.get(who).groups = asked.get("groups").split(",");
  response.end("ok");
}

http
  .createServer(async (request, response) => {
    const url = new URL(request.url, issuer);
    try {
      if (url.pathname === "/control") control(url, response);
      else if (url.pathname.startsWith("/interaction/")) await interact(request, response);
      else await provider.callback()(request, response);
    } catch (error) {
      console.error(error);
      response.statusCode = 500;
      response.end(String(error));
    }
  })
  .listen(Number(port), "127.0.0.1", () => console.log("listening"));
