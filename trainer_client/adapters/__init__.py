"""Rewards from the verifier for other people's trainers: TRL, verl, OpenRLHF, `verifiers`.

Each adapter is one module with the function that its trainer calls. What they share: a row of the
dataset says what is judged (`Sample`), a response is read strictly (`AnswerForm`), and a grade is a
number only where there is a verdict (`Grader`): trouble of the service is masked where the trainer
can leave a sample out, and an error where it cannot, never a number.
"""

from trainer_client.adapters.answer_form import AnswerForm
from trainer_client.adapters.grader import Grade, Grader, Scale
from trainer_client.adapters.sample import Sample

__all__ = ["AnswerForm", "Grade", "Grader", "Sample", "Scale"]
