"""Which ended jobs are on the disk, as far as the loop knows. Pure."""

from collections.abc import Iterable

from supervisor.journal.ended_jobs.ended_job import Summary


class Index:
    """The kept jobs by number, and for each job id the last one: a job that was tried again has ended twice."""

    def __init__(self) -> None:
        self._by_number: dict[int, Summary] = {}
        self._last_number: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._by_number)

    def add(self, job: Summary) -> None:
        """Note a job that is kept from now on."""
        self._by_number[job.number] = job
        self._last_number[job.job_id] = max(job.number, self._last_number.get(job.job_id, 0))

    def remove(self, numbers: Iterable[int]) -> None:
        """Forget jobs that are gone."""
        for number in numbers:
            job = self._by_number.pop(number, None)
            if job is not None and self._last_number.get(job.job_id) == number:
                del self._last_number[job.job_id]

    def ids(self) -> Iterable[str]:
        """Return the ids of the jobs that are kept, once each."""
        return self._last_number.keys()

    def find(self, job_id: str) -> Summary | None:
        """Return how a job ended last, `None` if it is not kept."""
        number = self._last_number.get(job_id)
        return None if number is None else self._by_number[number]

    def latest(self, count: int) -> list[Summary]:
        """Return the last `count` jobs that have ended, the last one first."""
        numbers = sorted(self._by_number, reverse=True)[:count]
        return [self._by_number[number] for number in numbers]
