"""What plugins of authors derive from: that of netmiko, which comes with this worker."""

from sdk.compat.migration_hints import refusing

from .netmiko_plugin import NetmikoConnection, NetmikoConnectionPluginBase

__all__ = ["NetmikoConnection", "NetmikoConnectionPluginBase"]

__getattr__ = refusing(__name__)
