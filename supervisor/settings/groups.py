"""The settings by what they are about. Help, reference, manual page and example show these groups in this order."""

from typing import Final

SETTING_GROUPS: Final = {
    "The engine": (
        *(
            "engine_url",
            "engine_token_file",
            "engine_ca_file",
            "engine_client_certificate",
            "engine_client_key",
        ),
        *("heartbeat_seconds", "poll_seconds", "request_timeout_seconds", "startup_retry_seconds"),
        "engine_job_timeout_seconds",
    ),
    "Blocks": (
        *("function_blocks", "import_all_modules", "import_seconds", "require_all_blocks", "start_method"),
    ),
    "This worker": (
        *("worker_name", "worker_ip_address", "state_dir", "max_concurrent_jobs", "block_slots"),
        "shutdown_timeout_seconds",
    ),
    "Limits of a job": (
        *(
            "max_job_seconds",
            "grace_seconds",
            "max_job_memory_mb",
            "max_job_cpu_seconds",
            "max_job_processes",
        ),
        *("max_job_open_files", "max_job_file_mb", "max_result_mb", "stall_seconds", "on_stall"),
        "blocking_seconds",
    ),
    "Isolation of jobs": ("isolation", "writable_paths", "job_env", "job_users", "cgroups"),
    "Devices": ("host_keys", "known_hosts", "sessions_per_device"),
    "The log": ("log_level", "log_levels", "log_format", "redact_keys"),
    "Control and health": (
        *("control", "control_group", "runtime_dir", "health_address", "health_token_file"),
        *("keep_jobs", "keep_results"),
    ),
}
"""Each setting of the daemon is in one of them."""
