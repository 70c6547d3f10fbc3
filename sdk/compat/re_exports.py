"""The modules of `neops_worker_sdk` without own code: which names they pass on, and from where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

RE_EXPORTS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "concurrency": (
        "Threads, parallel calls and tasks.",
        {
            ".concurrency.detection": "BlockingDetector",
            ".concurrency.run_in_thread": "run_in_thread",
            ".concurrency.run_parallel": "run_parallel",
            ".concurrency.tasks": "schedule_task",
        },
    ),
    "concurrency.detection": (
        "The watch over an event loop that stands still.",
        {
            "sdk.concurrency": "BlockingDetector",
        },
    ),
    "concurrency.run_parallel": (
        "Parallel calls.",
        {
            "sdk.concurrency": "run_parallel",
        },
    ),
    "concurrency.tasks": (
        "Tasks that run beside the block.",
        {
            "sdk.concurrency": "schedule_task",
        },
    ),
    "connection": (
        "Connections to devices: interfaces, proxies, and what plugins are made of.",
        {
            ".connection.capabilities": "CapabilityInterface NetworkDeviceInformationCapability",
            ".connection.exceptions": "CapabilityContext NotImplementedForThisPlatform",
            ".connection.proxy": "ConnectionProxy",
            ".connection.types": "BaseConnection ConnectionLibrary ConnectionPlatform ConnectionPlugin "
            "ConnectionType",
        },
    ),
    "connection.capabilities": (
        "Interfaces: what can be asked of a device.",
        {
            ".connection.capabilities.base": "CapabilityInterface",
            ".connection.capabilities.network_device_configuration": "NetworkDeviceConfigurationCapability",
            ".connection.capabilities.network_device_execution": "NetworkDeviceExecutionCapability",
            ".connection.capabilities.network_device_information": "NetworkDeviceInformationCapability",
            ".connection.capabilities.network_device_lifecycle": "NetworkDeviceLifecycleCapability",
            ".connection.capabilities.platform_detection": "PlatformDetectionCapability",
        },
    ),
    "connection.detection": (
        "Finding out a device's platform.",
        {
            ".connection.detection.constants": "DETECTION_CONNECTION_LIBRARY DETECTION_CONNECTION_TYPE "
            "DETECTION_DEVICE_ID DETECTION_PLATFORM",
            ".connection.detection.detector": "DetectionConfig PlatformDetector detect_platform",
            ".connection.detection.probe": "PlatformProbe get_probes register_platform_probe registered_probe_names",
            ".connection.detection.probes": "",
            ".connection.detection.results": "DetectionOutcome DetectionReport ExclusionReason ProbeResult",
            ".connection.detection.signatures": "PlatformSignature ShellKind command_plan get_signature get_signatures",
            ".connection.detection.target": "DetectionContext DetectionTarget make_detection_device",
        },
    ),
    "connection.detection.probes": (
        "The ways to find out a platform that are there without the author's doing.",
        {
            ".connection.detection.probes.exec_command": "ExecCommandProbe",
            ".connection.detection.probes.tcp_reachability": "TcpReachabilityProbe",
        },
    ),
    "connection.plugins": (
        "Plugins for platforms: those of the package are not here, and each says so by its name; one base class is, "
        "and the plugin that finds out a platform.",
        {
            ".connection.plugins.base": "NetmikoConnection NetmikoConnectionPluginBase",
            ".connection.plugins.detect": "PlatformDetectionPlugin",
        },
    ),
    "connection.plugins.detect": (
        "The plugin that finds out a platform.",
        {
            ".connection.plugins.detect.detect_plugin": "NullConnection PlatformDetectionPlugin",
        },
    ),
    "connection.plugins.base": (
        "What plugins of authors derive from: that of netmiko, which comes with this worker.",
        {
            ".connection.plugins.base.netmiko_plugin": "NetmikoConnection NetmikoConnectionPluginBase",
        },
    ),
    "connection.utils.jinja": (
        "Templates.",
        {
            ".connection.utils.jinja.registry": "JINJA_EXTENSIONS JINJA_FILTERS JINJA_GLOBALS get_jinja_capabilities",
            ".connection.utils.jinja.render": "render_jinja_template",
        },
    ),
    "connection.utils.jinja.capabilities": (
        "What a template can be given to hand values back.",
        {},
    ),
    "connection.utils.jinja.filters": (
        "Filters of templates.",
        {},
    ),
    "connection.utils.jinja.filters.datetime": (
        "The filter of times.",
        {
            ".connection.utils.jinja.filters.value_filters": "datetime_filters",
        },
    ),
    "connection.utils.jinja.filters.json": (
        "The filter of JSON.",
        {
            ".connection.utils.jinja.filters.value_filters": "json_filters",
        },
    ),
    "connection.proxy": (
        "Proxies: what a block talks to a device with.",
        {
            ".connection.proxy.proxy": "ConnectionProxy FileStorageConnectionProxy NetworkControllerConnectionProxy "
            "NetworkDeviceConnectionProxy NetworkDeviceDiscoveryProxy PlatformDetectionProxy",
        },
    ),
    "connection.types": (
        "What a plugin is made of.",
        {
            ".connection.types.aliases": "AnyConnection ConnectionLibrary ConnectionPlatform ConnectionType "
            "RawConnection",
            ".connection.types.base_connection": "BaseConnection DeviceCredentials device_id_of",
            ".connection.types.connection_plugin": "ConnectionPlugin",
        },
    ),
    "connection.utils": (
        "Helpers for device connections: all are modules below this one.",
        {},
    ),
    "connection.utils.restricted_python": (
        "Foreign Python, restricted. Needs the library RestrictedPython.",
        {
            ".connection.utils.restricted_python.functions": "",
            ".connection.utils.restricted_python.modules": "",
            ".connection.utils.restricted_python.registry": "RESTRICTED_BUILTINS",
            ".connection.utils.restricted_python.runner": "run_restricted_code",
        },
    ),
    "function_block": (
        "Blocks: what they derive from, take and return.",
        {},
    ),
    "function_block.acquire_params": (
        "The parameters a block sees while acquiring.",
        {
            "sdk.acquire_params": "AcquireParams",
        },
    ),
    "function_block.params": (
        "Models of parameters that many blocks share: a host and logins.",
        {
            ".function_block.params.credentials": "Credential Credentials CredentialsField OptionalCredentials",
            ".function_block.params.fields": "OptionalHostValue PasswordField PlatformField UsernameField",
            ".function_block.params.host": "Host",
        },
    ),
    "function_block.partial_params": (
        "Parameters of which the engine could not resolve all yet.",
        {
            "sdk.parsing": "parse_leniently",
        },
    ),
    "logger": (
        "Loggers of blocks and of their helpers.",
        {
            ".logger.adapters": "logger_for",
            ".logger.base": "BaseLogger ContextualLogger",
            ".logger.logger": "Logger",
        },
    ),
    "registry": (
        "The registry of blocks.",
        {
            ".registry.registry": "Registry registry",
        },
    ),
    "registry.decorator": (
        "The decorator that declares a block.",
        {
            "sdk.decorator": "register_function_block",
        },
    ),
    "registry.registration": (
        "What a block declares about itself.",
        {
            "sdk.registration": "Registration",
        },
    ),
    "testing": (
        "What blocks are tested with.",
        {},
    ),
    "testing.base": (
        "Test cases that stand at a block.",
        {},
    ),
    "testing.devices": (
        "Devices for tests.",
        {},
    ),
    "testing.factories": (
        "Contexts for tests.",
        {},
    ),
    "testing.factories.context_factory": (
        "Contexts for tests.",
        {
            ".workflow.testing_contexts": "create_workflow_context",
        },
    ),
    "utils": (
        "Of the helpers: the JSON schema of a model.",
        {},
    ),
    "utils.pydantic_schema_generator": (
        "The JSON schema of a model, as the engine is told.",
        {
            "sdk.schema": "generate_json_schema=engine_schema",
        },
    ),
    "workflow": (
        "A job's context, and the entities in it.",
        {
            ".workflow.db_updates": "EntityType generate_temporary_id",
            ".workflow.entities": "Device DeviceField DeviceGroup GroupField Interface InterfaceField",
            ".workflow.workflow_context": "WorkflowContext",
        },
    ),
    "workflow.db_updates": (
        "Words and ids of database updates. Working them out is the worker's business.",
        {
            "sdk.context.kinds": "EntityType",
            "sdk.entities.temporary_ids": "generate_temporary_id=new_temporary_id",
        },
    ),
}
"""By the name below the package: what the module is for, and the names by the module that each comes from.

A home that begins with a dot is below the package, too. `new=old`: the home calls the name `old`. A home without names
is only imported: it registers something.
"""
