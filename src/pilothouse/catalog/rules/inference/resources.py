"""What a compose file starts beside our own programs: databases, caches, brokers."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from pilothouse.catalog.rules.inference.manifests import load_yaml, mapping, texts

FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_NAMES = {
    "database": "postgres postgis timescale mysql mariadb percona mongo cockroach cassandra scylla "
    "clickhouse mssql neo4j couchdb dynamodb influxdb",
    "cache": "redis valkey memcached dragonfly keydb hazelcast",
    "message-broker": "kafka redpanda rabbitmq nats activemq pulsar mosquitto emqx",
    "search-index": "elasticsearch opensearch meilisearch typesense solr qdrant weaviate milvus",
    "object-storage": "minio seaweedfs localstack",
    "identity-provider": "keycloak dex authentik zitadel",
}
_TYPES = tuple((word, kind) for kind, words in _NAMES.items() for word in words.split())
# What is looked at with, not what a program needs.
_ASIDE = re.compile(r"admin|exporter|-ui\b|kafdrop|console|commander|mailhog|mailpit|migrat|init\b")


class Service(msgspec.Struct, frozen=True):
    """A service of a compose file: one that is built here, or a resource with a type."""

    name: str
    file: str
    image: str = ""
    type: str | None = None
    builds: str | None = None  # the folder that it is built from
    needs: tuple[str, ...] = ()


def services(texts_: Mapping[str, str]) -> list[Service]:
    """The services of the compose files that are at the top of a repository, or in deploy/."""
    found: dict[str, Service] = {}
    for path in sorted(texts_, key=lambda path: (path.count("/"), path)):
        if posixpath.basename(path) not in FILES:
            continue
        listed = mapping(mapping(load_yaml(texts_[path])).get("services"))
        for name, value in listed.items():
            if isinstance(name, str) and name not in found:
                found[name] = _service(name, mapping(value), path)
    return list(found.values())


def _service(name: str, value: Mapping[str, Any], path: str) -> Service:
    image = value.get("image")
    image = image if isinstance(image, str) else ""
    needs = value.get("depends_on")
    needed = tuple(map(str, needs)) if isinstance(needs, Mapping) else texts(needs)
    build = value.get("build")
    context = build if isinstance(build, str) else mapping(build).get("context")
    builds = None
    if isinstance(context, str):
        builds = posixpath.normpath(posixpath.join(posixpath.dirname(path), context))
        builds = "" if builds == "." else builds
    return Service(name, path, image, _type(image, name), builds, needed)


def _type(image: str, name: str) -> str | None:
    called = posixpath.basename(image.partition("@")[0]).partition(":")[0].lower()
    if not called or _ASIDE.search(called) or _ASIDE.search(name):
        return None
    return next((kind for word, kind in _TYPES if word in called), None)
