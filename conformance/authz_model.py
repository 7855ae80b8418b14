"""Who may do what, computed from a table of namespaces: written from docs/configuration.md, and from nothing of the server.

A verdict is "allow" or the reason of the refusal: "unknown" (no such namespace), "name" (the namespace has no such
names), "missing" (no credential), "forbidden".
"""
import collections

import tokens

API_KEY = "an-api-key-for-tests-only-0123456789"

# What a namespace does not say is `nobody`, as_subscribe or false. All keep history and presence.
NAMESPACES = {
    "closed": {},
    "anyone": {"subscribe": "anyone", "publish": "anyone"},
    "user": {"subscribe": "user", "publish": "user"},
    "token": {"subscribe": "token", "publish": "token"},
    "read": {"subscribe": "anyone", "publish": "token"},
    "drop": {"publish": "anyone"},  # may be written to by those who may not read
    "members": {"subscribe": "user", "publish_for_subscriber": True},
    "secretive": {"subscribe": "user", "read_history": "nobody", "read_presence": "nobody"},
    "archive": {"subscribe": "user", "read_history": "token", "read_presence": "token"},
    "window": {"read_history": "anyone", "read_presence": "anyone"},  # to be looked at by those who may not subscribe
    "insider": {"subscribe": "token", "read_history": "nobody", "read_history_for_subscriber": True,
                "read_presence": "nobody", "read_presence_for_subscriber": True},
    "limited": {"publish": "user", "user_limited_channels": True},
    "numbered": {"subscribe": "anyone", "publish": "anyone", "channel_pattern": "[a-z]+-[0-9]"},
    "cache": {"subscribe": "token", "recovery_mode": "cache", "auto_cache_recover": True, "force_recovery": True},
}

# Namespaces whose channels are maps: what one does with those is different, so they have cells of their own.
MAPS = {
    "mapclosed": {},
    "mapanyone": {"subscribe": "anyone", "publish": "anyone", "remove": "anyone"},
    "mapuser": {"subscribe": "user", "publish": "user"},
    "maptoken": {"subscribe": "token", "publish": "token", "remove": "token"},
    "mapread": {"subscribe": "anyone", "publish": "token", "remove": "user"},
    "mapdrop": {"publish": "anyone"},
    "mapmembers": {"subscribe": "user", "publish_for_subscriber": True, "remove_for_subscriber": True},
    "mapwriters": {"subscribe": "token", "publish_for_subscriber": True, "remove": "nobody"},
    "mapsweepers": {"subscribe": "user", "remove_for_subscriber": True, "map_mode": "ephemeral"},
}
MAP_CHANNELS = [f"{name}:{part}-1" for name in MAPS for part in ("in", "out")] + ["$maptoken:in-1", "$mapanyone:out-1"]

# `in` is inside the wildcards of every token that has patterns, `out` is outside of them. Of `closed`, `unknown` and the
# like both are refused: a wildcard gives no right that the namespace does not give.
CHANNELS = ([f"{name}:{part}-1" for name in NAMESPACES for part in ("in", "out")]
            + ["limited:in-1#ann", "limited:out-1#ann", "limited:in-1#bob,ann", "limited:in-1#annabel", "numbered:in-x",
               "$token:in-1", "$token:out-1", "$anyone:in-1", "$anyone:out-1", "$members:in-1", "unknown:in-1", "in-1"])
PATTERNS = [f"{name}:in*" for name in (*NAMESPACES, *MAPS)] + ["$maptoken:in*", "$token:in*", "$anyone:in*", "$members:in*", "unknown:in*", "in*"]

Who = collections.namedtuple("Who", "name user subscribe publish api_key", defaults=("", (), (), False))
ANONYMOUS = Who("anonymous")
WHO = [
    ANONYMOUS,
    Who("token with patterns", "", PATTERNS, PATTERNS),
    Who("token with patterns to subscribe", "", PATTERNS, ()),
    Who("token with patterns to publish", "", (), PATTERNS),
    Who("token user ann", "ann"),
    Who("token user bob with patterns", "bob", PATTERNS, PATTERNS),
    Who("API key", api_key=True),
]


def has_token(who):
    return not who.api_key and who.name != ANONYMOUS.name


def token_of(who, **more):
    rights = {"subscribe": list(who.subscribe), "publish": list(who.publish), **more}
    if who.user:
        rights["sub"] = who.user
    rights.setdefault("exp", tokens.claims()["exp"])
    return tokens.token(rights)


def headers_of(who):
    if who.api_key:
        return {"X-API-Key": API_KEY}
    return {"Authorization": f"Bearer {token_of(who)}"} if has_token(who) else {}


def namespace_of(channel):
    """(name, options, rest); options None where there is no such namespace."""
    prefix, colon, rest = channel.removeprefix("$").partition(":")
    if not colon:
        return "", {}, channel
    return prefix, MAPS.get(prefix, NAMESPACES.get(prefix)), rest


def covers(patterns, channel):
    return any(channel.startswith(p[:-1]) if p.endswith("*") else channel == p for p in patterns)


def named(channel, user):
    return bool(user) and "#" in channel and user in channel.rpartition("#")[2].split(",")


def verdict(who, verb, channel, subscribed=False, channel_token=False):
    name, options, rest = namespace_of(channel)
    if options is None:
        return "unknown"
    if name == "numbered" and not (rest[:-2].isalpha() and rest[-2] == "-" and rest[-1].isdigit()):
        return "name"
    if who.api_key:
        return "allow"
    subscribe = options.get("subscribe", "nobody")
    key = {"subscribe": "subscribe", "publish": "publish", "remove": "remove", "history": "read_history", "presence": "read_presence"}[verb]
    own = options.get(key) if verb != "subscribe" else subscribe
    as_subscribe = verb in ("history", "presence") and own is None
    if subscribed and (options.get(f"{key}_for_subscriber") or as_subscribe):
        return "allow"
    access = subscribe if as_subscribe else own or "nobody"

    private = channel.startswith("$")
    limited = not private and "#" in channel and bool(options.get("user_limited_channels"))
    mine = limited and named(channel, who.user)
    if mine and (verb == "subscribe" or as_subscribe):
        return "allow"
    if access == "nobody":
        return "forbidden"
    inside = subscribed or mine or not (private or limited)
    if access == "anyone" and inside:
        return "allow"
    changes = verb in ("publish", "remove")
    if channel_token and not changes:
        return "allow"
    if not has_token(who):
        return "missing"
    if access == "user" and who.user and inside:
        return "allow"
    return "allow" if covers(who.publish if changes else who.subscribe, channel) else "forbidden"


def config(more="", namespaces=NAMESPACES):
    """Of a server with these namespaces."""
    def value(v):
        return str(v).lower() if isinstance(v, bool) else f'"{v}"'

    lines = ["[server]", 'listen = ["127.0.0.1:PORT"]', 'admin_listen = ["127.0.0.1:ADMIN"]', "workers = 2", "[auth]",
             f'token_keys = ["{tokens.KEY}"]', f'api_keys = ["{API_KEY}"]', "strict_namespaces = true", "private_channels = true",
             "[limits]", "channels_per_peer_max = 1000", "connections_per_address_max = 10000", "[centrifuge]",
             "anonymous_without_token = true", more]
    lines += ["[channels]", "presence = true"]
    for name, options in MAPS.items():
        lines += [f"[namespaces.{name}]", 'subscription_type = "map"'] + [f"{key} = {value(v)}" for key, v in options.items()]
    for name, options in namespaces.items():
        lines += [f"[namespaces.{name}]", "presence = true"] + [f"{key} = {value(v)}" for key, v in options.items()]
    return "\n".join(lines)
