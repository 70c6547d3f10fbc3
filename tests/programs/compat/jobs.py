"""The jobs that each worker is given: what the blocks of `blocks/` are asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PLATFORM = {"id": 3, "name": "Cisco IOS", "shortName": "ios"}

DEVICES: list[dict[str, Any]] = [
    {
        "id": 17,
        "hostname": "sw1",
        "ip": "10.0.0.1",
        "vendor": "cisco",
        "serial": "FOC123",
        "platform": _PLATFORM,
        "facts": {"model": "C9300", "stale": True},
        "username": "admin",
        "password": "correct horse battery",
        "createdAt": "2024-01-02T03:04:05.000Z",
    },
    {"id": 18, "hostname": "sw2", "ip": "10.0.0.2"},
]
PARROT: dict[str, Any] = {
    "id": 19,
    "hostname": "polly",
    "ip": "10.0.0.3",
    "username": "polly",
    "password": "a cracker for polly",
    "platform": {"id": 9, "shortName": "parrot"},
}
STRANGER: dict[str, Any] = {**PARROT, "id": 20, "platform": {"id": 10, "shortName": "nobody_knows"}}
INTERFACE: dict[str, Any] = {"id": 5, "name": "Gi0/1", "state": "UP", "description": "to nowhere"}
GROUP: dict[str, Any] = {"id": 2, "name": "core", "deviceCount": 2}

_GLOBAL: dict[str, Any] = {"devices": DEVICES, "interfaces": [INTERFACE], "deviceGroups": [GROUP]}


@dataclass(frozen=True, slots=True)
class CompatJob:
    """One job. `name` is what its outcome is kept under."""

    name: str
    block: str
    """Of the package `compat`, unless it names another one."""
    parameters: dict[str, Any]
    type: str = "execute"
    run_on: str = "global"
    entity_id: int | None = None
    context: dict[str, Any] | None = None
    library: str = ""
    """A library that has to be installed beside the worker; without it, the job is left out."""
    router: str = ""
    """Which router its context is that of: `ios`, the emulated one, `frr`, a real one, or `frr-vtysh`, the same one
    with a login to FRR's command line; empty for none."""

    def submission(self, contexts: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
        """Return the arguments for `DevEngine.submit`. `contexts` are those of the routers."""
        context = contexts[self.router] if self.router else self.context
        return {
            "block": self.block if "/" in self.block else f"compat/{self.block}",
            "parameters": self.parameters,
            "type": self.type,
            "run_on": self.run_on,
            "entity_id": self.entity_id,
            "context": context if context is not None else _GLOBAL,
        }


def _on_device(
    name: str, block: str, device: dict[str, Any], parameters: dict[str, Any], **more: Any
) -> CompatJob:
    context = {"devices": [device, DEVICES[1]]}
    return CompatJob(
        name, f"{block}:1.0.0", parameters, run_on="device", entity_id=device["id"], context=context, **more
    )


def _on_router(name: str, router: str, block: str, parameters: dict[str, Any]) -> CompatJob:
    return CompatJob(name, f"{block}:1.0.0", parameters, run_on="device", entity_id=1, router=router)


def _comparing(name: str, before: str, after: str, **more: Any) -> CompatJob:
    return CompatJob(name, "compare_configurations:1.0.0", {"before": before, "after": after, **more})


def _rendering(name: str, template: str) -> CompatJob:
    return CompatJob(name, "render:1.0.0", {"template": template})


def _restricted(name: str, source: str, **more: Any) -> CompatJob:
    return CompatJob(name, "run_code:1.0.0", {"source": source, **more}, library="RestrictedPython")


_PLATFORMS = ("ios", "frr", "procurve", "srl", "nobody_knows")
_ONE_OF_EACH: dict[str, Any] = {
    "devices": [
        {
            "id": 30 + number,
            "hostname": name,
            "ip": "192.0.2.9",
            "username": "u",
            "password": "not to be logged in with",
            "platform": {"id": number, "shortName": name},
        }
        for number, name in enumerate(_PLATFORMS, start=1)
    ]
}

_INTERFACE = """enable secret 9 {hash}
interface GigabitEthernet0/1
 description {description}
 ip address 192.0.2.1 255.255.255.0
"""
_BEFORE = _INTERFACE.format(hash="$9$one", description="to nowhere")
_AFTER = _INTERFACE.format(hash="$9$another", description="to r2") + "ntp server 192.0.2.9\n"
_OSPF = """interface Loopback0
 ip address 192.0.2.1 255.255.255.255
router ospf 1
 router-id 192.0.2.1
 network 192.0.2.0 0.0.0.255 area {area}
router bgp 65001
 address-family ipv4
  network 10.{area}.0.0
"""
_LOOPBACK = "interface Loopback7\n description seven\n"
_SNIPPET = "interface GigabitEthernet0/1\n description to r2\nntp server 192.0.2.9\n"

_VLANS = [{"number": 10}, {"number": 20, "name": "voice"}]
_ALL = {"site": "zrh", "count": "7", "speed": "fast", "vlans": _VLANS, "note": "seen", "unknown": 1}

REDACT_EXTRA_KEYS = "codeword"
"""What each worker's `LOG_REDACT_EXTRA_KEYS` says."""

JOBS = (
    CompatJob("parameters: defaults", "read:1.0.0", {"site": "zrh"}),
    CompatJob("parameters: all, a number as text, an unknown one", "read:1.0.0", _ALL),
    CompatJob("parameters: null where null is allowed", "read:1.0.0", {"site": "zrh", "note": None}),
    CompatJob("parameters: blank", "read:1.0.0", {"site": "", "note": " "}),
    CompatJob("parameters: one is missing", "read:1.0.0", {"count": 1}),
    CompatJob("parameters: one is out of range", "read:1.0.0", {"site": "zrh", "vlans": [{"number": 5000}]}),
    CompatJob("result: data of many types", "return_result:2.1.3", {"kind": "data"}),
    CompatJob("result: no data", "return_result:2.1.3", {"kind": "no_data"}),
    CompatJob("result: failed", "return_result:2.1.3", {"kind": "failed"}),
    CompatJob("result: failed, with data", "return_result:2.1.3", {"kind": "failed_with_data"}),
    CompatJob("exception: the author's own", "raise_it:1.0.0", {"what": "own"}),
    CompatJob("exception: Python's", "raise_it:1.0.0", {"what": "key"}),
    CompatJob("exception: of the connection layer", "raise_it:1.0.0", {"what": "connection"}),
    CompatJob("exception: none after all", "raise_it:1.0.0", {"what": "nothing"}),
    CompatJob("exception: while acquiring", "raise_it:1.0.0", {"what": "acquire"}, type="acquire"),
    CompatJob("acquire: nothing", "read:1.0.0", {"site": "zrh"}, type="acquire"),
    CompatJob("acquire: an empty list", "return_result:2.1.3", {"kind": "data"}, type="acquire"),
    CompatJob(
        "acquire: by search and by context",
        "acquire_entities:1.0.0",
        {"vendor": "cisco", "vlan": 7},
        type="acquire",
    ),
    CompatJob("acquire: a parameter is missing", "acquire_entities:1.0.0", {"vlan": 7}, type="acquire"),
    CompatJob(
        "acquire: null where none is allowed",
        "acquire_entities:1.0.0",
        {"vendor": None, "vlan": None},
        type="acquire",
    ),
    CompatJob(
        "acquire: a value does not fit",
        "acquire_entities:1.0.0",
        {"vendor": "cisco", "vlan": "x"},
        type="acquire",
    ),
    CompatJob("acquire: blank", "acquire_entities:1.0.0", {"vendor": "", "vlan": ""}, type="acquire"),
    CompatJob("acquire: refused", "acquire_entities:1.0.0", {"vendor": "none"}, type="acquire"),
    CompatJob("acquire: executed", "acquire_entities:1.0.0", {"vendor": "cisco"}),
    _on_device("rollback: forward", "change_banner", DEVICES[0], {"banner": "hi"}),
    _on_device("rollback: back", "change_banner", DEVICES[0], {"banner": "hi"}, type="rollback"),
    _on_device(
        "rollback: it raises", "change_banner", DEVICES[0], {"banner": "hi", "mishap": True}, type="rollback"
    ),
    CompatJob("rollback: not defined", "change_for_good:1.0.0", {"banner": "hi"}, type="rollback"),
    CompatJob("rollback: forward without rollback", "change_for_good:1.0.0", {"banner": "hi"}),
    _on_device("rollback: forward, the older form", "change_as_before", DEVICES[0], {"banner": "hi"}),
    _on_device(
        "rollback: back, the older form", "change_as_before", DEVICES[0], {"banner": "hi"}, type="rollback"
    ),
    _on_device("edits: a device", "edit_device", DEVICES[0], {}),
    _on_device("edits: a device, then failed", "edit_device", DEVICES[0], {"fail": True}),
    CompatJob("edits: an interface", "edit_interface:1.0.0", {}, run_on="interface", entity_id=5),
    CompatJob("edits: a group", "edit_group:1.0.0", {}, run_on="group", entity_id=2),
    CompatJob(
        "edits: the device is not there",
        "edit_device:1.0.0",
        {},
        run_on="device",
        entity_id=404,
    ),
    *(
        _on_device(f"edits: let go of the device: {how}", "let_go_of_device", DEVICES[0], {"how": how})
        for how in ("remove", "forget", "another", "copy", "copy in the list")
    ),
    CompatJob("entities: created", "create_entities:1.0.0", {}),
    CompatJob("entities: created and deleted", "create_entities:1.0.0", {"remove_first": True}),
    CompatJob("concurrency: in parallel", "use_concurrency:1.0.0", {"numbers": [3, 1, 2]}),
    CompatJob("concurrency: one fails", "use_concurrency:1.0.0", {"numbers": [3, 1, 2], "bad": 1}),
    *(
        CompatJob(f"concurrency: calls {how}", "begin_calls:1.0.0", {"how": how})
        for how in ("awaited in turn", "awaited by asyncio.wait", "not awaited")
    ),
    CompatJob("logs", "write_logs:1.0.0", {"community": "not for the log"}),
    CompatJob("logs: of another's own logger", "collect_logs:1.0.0", {}),
    CompatJob("names: hyphens", "fb.use-cases.compat/greet-by-name:1.0.0", {"name": "Ada"}),
    CompatJob(
        "names: hyphens, acquiring",
        "fb.use-cases.compat/greet-by-name:1.0.0",
        {"name": "Ada"},
        type="acquire",
    ),
    _on_device("names: from modules that import them", "describe_device", DEVICES[0], {}),
    _on_device(
        "names: from modules that import them, acquiring", "describe_device", DEVICES[0], {}, type="acquire"
    ),
    CompatJob("terminal: opened and closed", "open_terminal:1.0.0", {"line": "hello"}),
    CompatJob("context: all lists", "look_at_lists:1.0.0", {}),
    CompatJob("context: devices only", "look_at_lists:1.0.0", {}, context={"devices": DEVICES}),
    CompatJob(
        "context: empty lists",
        "look_at_lists:1.0.0",
        {},
        context={"devices": [], "interfaces": [], "deviceGroups": []},
    ),
    CompatJob("devices: the plugins that are there", "have_plugins:1.0.0", {}, context=_ONE_OF_EACH),
    _on_device("devices: no plugin", "ask_device", STRANGER, {}),
    CompatJob(
        "devices: a router by the plugin that is there",
        "work_on_device:1.0.0",
        {"description": "to nowhere"},
        run_on="device",
        entity_id=1,
        router="ios",
    ),
    _on_router("devices: what FRR is", "frr", "read_linux_router", {"what": "information"}),
    _on_router("devices: the configurations of FRR", "frr", "read_linux_router", {"what": "configurations"}),
    _on_router("devices: the interfaces of FRR", "frr", "read_linux_router", {"what": "interfaces"}),
    _on_router("devices: a command of FRR", "frr", "read_linux_router", {"what": "command"}),
    _on_router("detection: FRR", "frr", "detect", {}),
    _on_router("detection: FRR behind vtysh", "frr-vtysh", "detect", {}),
    _on_router("detection: the wrong password", "frr", "detect", {"password": "not this one"}),
    _on_router("detection: IOS", "ios", "detect", {}),
    _on_router("detection: nothing listens", "ios", "detect", {"port": 9}),
    _on_router("detection: by the reachability alone", "ios", "detect", {"probes": ["tcp"]}),
    _on_router("detection: by a proxy", "frr", "detect", {"by_proxy": True}),
    CompatJob("detection: what it knows", "know_platforms:1.0.0", {}),
    _comparing("configurations: a line of an interface", _BEFORE, _AFTER),
    _comparing("configurations: nested sections", _OSPF.format(area=0), _OSPF.format(area=1)),
    _comparing("configurations: a section that goes", _BEFORE + _LOOPBACK, _BEFORE),
    _comparing("configurations: a snippet", _BEFORE, _SNIPPET, is_snippet=True),
    _comparing("configurations: nothing differs", _BEFORE, _BEFORE),
    _comparing("configurations: another hostname", "hostname r1\n", "hostname r9\n"),
    _comparing("configurations: as a device prints them", f"!\n{_BEFORE}!\nend\n", f"!\n{_AFTER}!\nend\n"),
    _rendering("templates: a comment with a reason", '{% comment "why" %}{{ nope }}{% endcomment %}x'),
    _rendering(
        "templates: what is no JSON", "[{{ vlans | json('json_dumps') }}{{ names | json('json_dumps') }}]"
    ),
    _rendering("templates: a capability before a variable", "{% do rc.set_result('vlan', 7) %}x"),
    CompatJob(
        "redaction: keys, a host, states",
        "redact:1.0.0",
        {
            "values": {"codeword": "sesame", "Password": "x", "site": "zrh"},
            "statuses": ["down", "testing", "lowerLayerDown"],
        },
    ),
    _restricted("restricted code: a result", "set_result('site', known['sites'][0])"),
    _restricted("restricted code: nothing", "x = 1"),
    _restricted(
        "restricted code: what is registered",
        "set_result('net', str(get_subnet('192.0.2.9/24')))\n"
        "set_result('loud', shout('hi'))\n"
        "set_result('is_private', ipaddress.ip_address('10.0.0.1').is_private)",
        registers=True,
    ),
    _restricted(
        "restricted code: a variable of the block's", "known['sites'].append('x')\nset_result('k', known)"
    ),
    _restricted("restricted code: it raises", "known['sites'].append('x')\nraise ValueError('no')"),
    _restricted("restricted code: a file", "open('/etc/passwd')"),
    _restricted("restricted code: an import", "import os"),
    _restricted("restricted code: a private name", "set_result('x', ().__class__)"),
    _restricted("restricted code: it never ends", "while True:\n    pass", timeout=2),
    _on_device("devices: the author's plugin", "repeat_words", PARROT, {"words": "hello"}),
    _on_device(
        "shared models: logins",
        "list_logins",
        DEVICES[0],
        {
            "host": {"ip": "10.0.0.1", "platform": "frr"},
            "credentials": [
                {"username": "any", "password": "one for all"},
                {"username": "frr", "password": "one for frr", "platform": "frr"},
                {"username": "srl", "password": "one for srl", "platform": "srl"},
            ],
        },
    ),
    _on_device(
        "shared models: the host's own login",
        "list_logins",
        DEVICES[0],
        {"host": {"ip": "10.0.0.1", "username": "me", "password": "mine"}, "credentials": None},
    ),
)

LIBRARIES = frozenset(job.library for job in JOBS if job.library)
"""What the package brings along, and jobs of this set use."""
