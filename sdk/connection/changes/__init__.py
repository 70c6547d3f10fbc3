"""Changes of a device's configuration: shown before, compared afterwards, and taken back if they must be.

All decisions are pure: configuration texts become trees of lines (`lines`), two trees have a difference (`difference`),
and the effect of lines can be predicted before they are sent (`prediction`). The differences between platforms are
data (`dialect`). Code that talks to the device blocks; `sdk.connection` runs it in a thread.
"""
