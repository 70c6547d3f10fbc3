"""The registry: (class, registration, DTO) by id."""


class Registry:
    def __init__(self):
        self.function_blocks = {}

    def register(self, cls, registration):
        self.function_blocks[registration.identifier] = (cls, registration, None)


registry = Registry()
