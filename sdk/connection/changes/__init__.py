"""Changes of a device's configuration: shown before, compared after, and taken back when they must be.

What decides is pure: configuration texts become trees of lines (`lines`), two trees have a difference (`difference`),
and lines that are to be sent have an effect that can be foretold (`prediction`). What differs between platforms is data
(`dialect`). What talks to the device blocks, and is run in a thread by `sdk.connection`.
"""
