"""Names of variables: a misspelt one sets nothing."""

from supervisor.commands.doctor.finding import Finding, ok, warning
from supervisor.settings.run_settings import DaemonSettings
from supervisor.settings.unknown_variables import unknown_variables


def variable_names(_: DaemonSettings) -> Finding:
    """Whether a variable of the environment or of `.env` has our prefix but is not a setting."""
    problems = list(unknown_variables())
    if problems:
        return warning("variable names", " ".join(problems), "Correct the name, or remove the variable.")
    return ok("variable names", "each NEOPS_ variable of the environment and of .env is a setting")
