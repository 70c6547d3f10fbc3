"""The control socket: how a person's command asks a running worker (`docs/adr/0038`). It imports no worker."""
