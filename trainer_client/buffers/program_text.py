"""Program texts: when two count as the same, and how one is shown."""

from trainer_client.records.problems import Problem


def normalised(program: str) -> str:
    """Return the text by which programs are compared: no blank lines, no trailing blanks."""
    lines = (line.rstrip() for line in program.splitlines())
    return "\n".join(line for line in lines if line)


def shown_program(problem: Problem) -> str:
    """Return a problem's program as a reader needs it: below the imports it runs with."""
    return "\n".join((*problem.imports, problem.program))
