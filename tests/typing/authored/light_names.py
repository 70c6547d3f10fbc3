"""Every public name is known to type checkers, although all are loaded lazily; others are not."""

import sdk
import sdk.testing

for name in (sdk.SENSITIVE, sdk.FunctionBlock, sdk.registry, sdk.Platform, sdk.SdkError):
    print(name)
print(sdk.testing.BlockRunner, sdk.testing.fb_test_case, sdk.testing.HarnessError)
sdk.FunctionBlok  # expect: mypy[attr-defined] basedpyright[reportAttributeAccessIssue]
sdk.testing.BlockRuner  # expect: mypy[attr-defined] basedpyright[reportAttributeAccessIssue]
