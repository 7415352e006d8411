"""The nouns of the demo: the company as it runs, its places, and what can be broken."""

from __future__ import annotations

from pathlib import Path

import msgspec

LOOPBACK = "127.0.0.1"
LATER = ".later"  # what the catalog is to read once the days before are told
AUTHORITIES, GATEWAY = "authorities.pem", "gateway.pem"  # in the demo's folder
STATE = "demo.json"  # in the demo's folder: the running company

# Every program of the company that listens, and what people call it.
LISTENING = {
    "shop": "the shop",
    "checkout": "the checkout service",
    "payments": "the payments service",
    "catalogue": "the catalogue and its search",
    "stock": "the database of products and orders",
    "sign-in": "the sign-in of customers",
    "cdn": "the content delivery network, Europe",
    "cdn-us": "the content delivery network, America",
    "reviews": "the reviews of a third party",
    "gateway": "the gateway of the bank, over TLS",
}
# Those that only do something, and listen nowhere of their own.
WORKING = {
    "network": "the ways from twelve places",
    "deliveries": "deployments and jobs",
    "customers": "customers",
}
REACHED = ("shop", "stock", "sign-in", "cdn", "reviews", "gateway")  # from all places


class Place(msgspec.Struct, frozen=True):
    """A simulated location: how far it is from the company, and which edge serves it."""

    name: str
    title: str
    region: str
    provider: str
    latitude: float
    longitude: float
    distance: float  # ms there and back to the company, which is in Frankfurt
    edge: float  # … to the nearest edge of its content delivery network

    @property
    def edge_program(self) -> str:
        """The edge that it is sent to: Asia has none of its own."""
        return "cdn" if self.region == "eu" else "cdn-us"


PLACES = (
    Place("eu-west", "Dublin", "eu", "Northern Hosting", 53.3, -6.3, 24, 5),
    Place("us-east", "Virginia", "us", "Northern Hosting", 38.9, -77.4, 88, 6),
    Place("ap-west", "Mumbai", "ap", "Northern Hosting", 19.1, 72.9, 112, 180),
    Place("eu-central", "Frankfurt", "eu", "Mainline", 50.1, 8.7, 3, 2),
    Place("us-west", "Oregon", "us", "Mainline", 45.8, -119.7, 146, 9),
    Place("ap-south", "Singapore", "ap", "Mainline", 1.3, 103.8, 158, 166),
    Place("eu-north", "Stockholm", "eu", "Polar", 59.3, 18.1, 23, 6),
    Place("us-central", "Iowa", "us", "Mainline", 41.6, -93.6, 112, 8),
    Place("eu-south", "Milan", "eu", "Mainline", 45.5, 9.2, 11, 4),
    Place("ap-north", "Tokyo", "ap", "Mainline", 35.7, 139.7, 224, 98),
    Place("us-south", "Texas", "us", "Polar", 32.8, -96.8, 124, 7),
    Place("eu-east", "Warsaw", "eu", "Polar", 52.2, 21.0, 19, 5),
)


class Fault(msgspec.Struct, frozen=True):
    """Something that can be broken, told for a person before and after."""

    name: str
    does: str  # what happens
    seen: str  # what Now says of it, within half a minute


FAULTS = (
    Fault(
        "checkout",
        "a new version of checkout answers 500 to every payment",
        "Pay for a basket failed from everywhere",
    ),
    Fault(
        "cdn-eu",
        "the edge in Europe serves yesterday's files",
        "Shop assets failed, all in eu-*",
    ),
    Fault(
        "third-party",
        "the script with the reviews takes over two seconds",
        "Reviews of a third party degraded from everywhere",
    ),
    Fault(
        "sign-in",
        "the sign-in signs with a key that it does not publish",
        "Sign in as a customer failed from everywhere",
    ),
    Fault(
        "database-pool",
        "a report takes all connections to the database but one",
        "Connections to the database failed, while the shop still works",
    ),
)


class Company(msgspec.Struct, frozen=True):
    """The company as it runs; its programs read it from the demo's folder."""

    folder: str
    portal: str  # its address
    ports: dict[str, int]  # program -> port
    events_token: str = ""  # what its deployments are told with
    agent_token: str = ""
    listens: dict[str, str] = {}  # program -> address, where it is not loopback
    door: int = -1  # the open socket that a program was given to listen on, in its own process
    ahead: float = 0.0  # seconds that its clocks are before the machine's
    places: bool = True  # whether this machine has loopback addresses enough for the twelve

    @property
    def watched(self) -> str:
        """What of the catalog the shop's pages tell of."""
        return "component:default/shop"

    @property
    def vitals_key(self) -> str:
        """What they tell it with; it stands in the shop's catalog file."""
        return "shop-demo"

    @property
    def vitals(self) -> str:
        """The element by which the shop's pages tell what customers feel."""
        return (
            f'<script async src="{self.portal}/rum/v1/pilothouse.js" data-entity="{self.watched}" '
            f'data-key="{self.vitals_key}"></script>'
        )

    def address(self, program: str) -> str:
        """Where another program of the company finds this one."""
        return f"http://{LOOPBACK}:{self.ports[program]}"

    def public(self, program: str) -> str:
        """What people and checks call it; browsers take every such name for this machine."""
        return f"http://{program}.localhost:{self.ports[program]}"

    def broken(self, fault: str) -> bool:
        """Whether somebody broke this."""
        return (faults_in(Path(self.folder)) / fault).exists()


def address_of(place: Place) -> str:
    """The loopback address by which a place reaches the company."""
    return f"127.0.1.{PLACES.index(place) + 1}"


def faults_in(folder: Path) -> Path:
    """Where what is broken lies: an empty file for each fault."""
    return folder / "broken"


def read(folder: Path) -> Company:
    """The company that runs in this folder. Raises FileNotFoundError when none does."""
    return msgspec.json.decode((folder / STATE).read_bytes(), type=Company)
