"""`VllmSampler`: generation by vLLM, in processes of its own, on GPUs or CPUs."""

import logging
from collections.abc import Callable, Sequence
from functools import partial

import torch
from transformers import PreTrainedModel

from trainer_client.config.model import SamplerConfig
from trainer_client.errors import ConfigError, SamplerCrashed, StaleWeights, TrainerError
from trainer_client.sampling.sampler import Completion, Decoding, Weights
from trainer_client.sampling.vllm_engine import VllmEngine, translated
from trainer_client.sampling.vllm_requests import barred, completions, parameters
from trainer_client.sampling.vllm_state import EngineState
from trainer_client.sampling.vllm_transfer import FileTransfer, IpcTransfer, WeightTransfer
from trainer_client.sampling.vllm_weights import WeightFolder
from trainer_client.sampling.vocabulary import Vocabulary

log = logging.getLogger(__name__)


class VllmSampler:
    """A sampler whose engine sleeps while the learner learns.

    An engine that fails while it falls asleep, wakes or takes over weights is never used again, but
    it does not end the step: the failure is logged, and the next `generate` raises it, which is
    where a crashed sampler is replaced. (Where memory is what it lacks, that is raised at once: a
    new engine would lack it too.)
    """

    def __init__(
        self,
        model: PreTrainedModel,
        vocabulary: Vocabulary,
        config: SamplerConfig,
        *,
        device: torch.device,
        dtype: torch.dtype,
        version: int = 0,
        max_tokens: int | None = None,
    ) -> None:
        """Start an engine with a model's weights; it takes half a minute or more.

        Args:
            model: the policy as it stands; it is not changed and not kept. One without values (on
                the meta device) makes an engine of no version, which waits for its first sync.
            vocabulary: the tokenizer's facts.
            config: the sampler's section.
            device: the learner's; the engine uses the same.
            dtype: of the engine's weights and computation.
            version: the version of the weights in `model`.
            max_tokens: prompt and response tokens at most; None: the model's positions.

        Raises:
            ConfigError: vLLM is missing, or a setting does not fit machine or model.
            OutOfMemory: the weights do not fit.
            SamplerCrashed: the engine did not start.
        """
        self._vocabulary = vocabulary
        self._bias = barred(vocabulary)
        self._max_tokens = _length(model, max_tokens)
        if config.weight_sync == "ipc" and device.type != "cuda":
            raise ConfigError("sampler.weight_sync: ipc needs a GPU; set it to reload")
        self._folder = WeightFolder(
            config.weights_folder, model, dtype, untied=device.type == "cpu"
        )
        try:
            self._folder.write(
                (name, torch.zeros_like(each, device="cpu") if each.is_meta else each.detach())
                for name, each in model.named_parameters()
            )
            self._engine = VllmEngine.start(
                self._folder.path,
                config,
                device=device,
                dtype=dtype,
                max_model_len=self._max_tokens,
            )
        except BaseException:
            self._folder.close()
            raise
        self._state = EngineState(version)
        if any(each.is_meta for each in model.parameters()):
            self._state.expect()
        self._transfer: WeightTransfer = FileTransfer(self._engine, self._folder)
        if config.weight_sync == "ipc":
            self._transfer = IpcTransfer(self._engine, self._folder.shapes, dtype)
            self._folder.clear()

    @property
    def version(self) -> int:
        """The version of the weights held; negative when there are none to sample from."""
        return self._state.version

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        decoding: Decoding,
        *,
        seed: int,
        version: int,
        places: Sequence[int] | None = None,
    ) -> list[Completion]:
        """Sample one response to each prompt, in order; see `Sampler.generate`.

        Raises:
            StaleWeights: the weights held are not of `version`, or the sampler sleeps.
            OutOfMemory: the engine has run out of it.
            SamplerCrashed: the engine failed, now or earlier; it is of no further use.
            ValueError: a prompt is empty or too long, `max_tokens` is below 1, or vLLM refuses the
                decoding (a temperature above 2).
        """
        self._state.require_version(version)
        _check(prompts, decoding, self._max_tokens)
        if not prompts:
            return []
        if self._state.empty:
            self._restore(version)
        own = range(len(prompts)) if places is None else places
        how = partial(parameters, decoding, self._vocabulary, self._bias, seed=seed)
        requests = [self._engine.request(**how(place=place)) for place in own]
        try:
            outputs = self._engine.generate(prompts, requests)
            return completions(outputs, self._vocabulary)
        except Exception as error:
            raise self._given_up(error, "generating") from error

    def sleep(self) -> None:
        """Give the device's memory to the learner. A second call does nothing."""
        ready = self._state.usable and not self._state.asleep
        if ready and self._attempt("falling asleep", self._sleep):
            self._state.sleep()

    def wake(self) -> None:
        """Take part in the work again; a second call does nothing.

        The memory itself is taken back when it is known with which weights: by `sync_weights`, or
        by `generate` with the last ones.
        """
        if not self._state.asleep:
            return
        keeps = self._engine.keeps_weights
        if keeps and not self._attempt("waking", self._wake_whole):
            return
        self._state.wake(with_weights=keeps)

    def sync_weights(self, weights: Weights) -> None:
        """Replace the weights by the policy's, rounded to the engine's precision.

        Raises:
            StaleWeights: the sampler sleeps.
            ConfigError: a parameter is missing, unknown or of another shape.
            OutOfMemory: there is no room for the files, or for the weights.
            SamplerCrashed: the engine failed earlier.
        """
        self._state.require_awake("take over weights")
        version = weights.version
        self._state.expect()
        self._transfer.prepare(weights)
        if self._attempt("taking over weights", self._load):
            self._state.loaded(version)

    def close(self) -> None:
        """End the engine's processes and remove its files. A second call does nothing."""
        self._state.close()
        self._engine.close()
        self._folder.close()

    def _load(self) -> None:
        """Bring prepared weights into the engine: its memory for them first, for the cache last."""
        empty = self._state.empty
        if empty:
            self._engine.wake_weights()
        self._transfer.load()
        if empty:
            self._engine.wake_cache()
        self._engine.forget()

    def _sleep(self) -> None:
        # An engine that woke without weights and got none since has nothing to give.
        if not self._state.empty:
            self._engine.sleep()

    def _wake_whole(self) -> None:
        self._engine.wake_weights()
        self._engine.wake_cache()

    def _restore(self, version: int) -> None:
        """Give an engine that woke without weights the last ones again."""
        if not self._transfer.repeatable:
            raise StaleWeights(
                "the sampler has slept without its weights: sync_weights must follow wake, "
                "or set sampler.sleep_level to 1"
            )
        if self._attempt("loading its weights again", self._load):
            self._state.loaded(version)
        self._state.require_version(version)

    def _attempt(self, what: str, action: Callable[[], None]) -> bool:
        """Do something with the engine; whether it succeeded.

        Raises:
            TrainerError: the failure was one of ours, or a lack of memory.
        """
        try:
            action()
        except Exception as error:
            meant = self._given_up(error, what)
            if not isinstance(meant, SamplerCrashed):
                raise meant from error
            log.warning("%s", meant)
            return False
        return True

    def _given_up(self, error: Exception, what: str) -> TrainerError:
        """Use the engine no more; return what to raise for a failure."""
        meant = error if isinstance(error, TrainerError) else translated(error, what)
        self._state.fail(meant)
        return meant


def _length(model: PreTrainedModel, asked: int | None) -> int:
    """Return how long prompt and response may be together.

    Raises:
        ConfigError: the model has fewer positions than are asked for.
    """
    positions = int(model.config.get_text_config().max_position_embeddings)
    if asked is not None and asked > positions:
        raise ConfigError(
            f"lengths: prompt and response may have {asked} tokens, and the model has {positions} "
            "positions: lower lengths.max_prompt_tokens or lengths.max_response_tokens"
        )
    return positions if asked is None else asked


def _check(prompts: Sequence[Sequence[int]], decoding: Decoding, most: int) -> None:
    """Refuse what the engine would choke on."""
    if decoding.max_tokens < 1:
        raise ValueError(f"max_tokens must be at least 1, not {decoding.max_tokens}")
    if not all(prompts):
        raise ValueError("an empty prompt has nothing to be continued")
    longest = max(map(len, prompts), default=0)
    if longest >= most:
        raise ValueError(f"a prompt has {longest} tokens, and the engine was started for {most}")
