"""Certificates of IOS: printed whole while they run, and by the name of a file where they are saved."""

from device_model import ModelDevice

from sdk.connection.changes.difference import difference
from sdk.connection.changes.restore import STARTUP, check_source, roll_back
from sdk.connection.deadline import Deadline
from sdk.connection.platforms.ios_configuration import IOS

HEAD = """version 15.9
hostname lab1
crypto pki trustpoint TP-self-signed-3639644206
 enrollment selfsigned
crypto pki certificate chain TP-self-signed-3639644206
"""
RUNNING = (
    HEAD
    + """ certificate self-signed 01
  30820330 30820218 A0030201 02020101 300D0609 2A864886 F70D0101 05050030
  \tquit
crypto pki certificate chain SLA-TrustPoint
 certificate ca 01
  30820321 30820209 A0030201 02020101 300D0609 2A864886 F70D0101 0B050030
  \tquit
end
"""
)
STARTED = (
    HEAD
    + """ certificate self-signed 01 nvram:IOS-Self-Sig#1D.cer
crypto pki certificate chain SLA-TrustPoint
 certificate ca 01 nvram:CiscoLicensi#1CA.cer
end
"""
)


class Device(ModelDevice):
    """One that prints its configuration as IOS does."""

    dialect = IOS

    def __init__(self, running: str) -> None:
        super().__init__(running.replace("end\n", ""))
        self.startup = STARTED

    def text(self) -> str:
        return f"{self.root.text()}end\n"


def test_a_device_runs_what_it_has_saved_also_where_certificates_are_in_it() -> None:
    assert IOS.read(RUNNING) == IOS.read(STARTED)
    assert check_source(Device(RUNNING), None, RUNNING, will_save=False, deadline=Deadline(10)) == STARTUP


def test_a_change_is_rolled_back_by_the_startup_configuration_of_a_device_with_certificates() -> None:
    line = "ntp server 192.0.2.7"
    device = Device(RUNNING + f"{line}\n")
    rollback = roll_back(device, None, deadline=Deadline(10), lines=line)
    assert (rollback.is_complete, device.sent) == (True, [f"no {line}"])


def test_a_certificate_with_another_number_is_another_one() -> None:
    before, after = (HEAD + f" certificate self-signed {number}\n  30820330\n" for number in ("01", "02"))
    assert [str(line) for line in difference(IOS.read(before), IOS.read(after), IOS)] == [
        "crypto pki certificate chain TP-self-signed-3639644206 / no certificate self-signed 01"
    ]
