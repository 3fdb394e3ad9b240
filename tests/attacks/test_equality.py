"""Class A: values that lie about what they equal."""

from attacks.arena import Attack, judge, params
from contract.live import LiveService

ALWAYS = """
class Always:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __bool__(self): return True
    def __sub__(self, other): return 0
    __rsub__ = __add__ = __radd__ = __mul__ = __sub__
    def __abs__(self): return 0
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __contains__ = __lt__
    def __float__(self): return 0.0
    def __int__(self): return 0
    __index__ = __len__ = __int__
    def __array__(self, *args): return self
    def __iter__(self): return iter(())
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self
"""
SUBCLASS = """
class Lie({base}):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __iter__(self): return iter('GOLD')
    def __len__(self): return 37
    def __repr__(self): return repr('GOLD')
def f(): return {value}
"""
ATTACKS = [
    Attack("A1", ALWAYS + "def f(): return Always()", "unsupported_value"),
    Attack("A1", ALWAYS + "def f(): return [Always()]", "unsupported_value", output="[1]"),
    Attack("A1", ALWAYS + "def f(): return {Always(): Always()}", "unsupported_value"),
    Attack("A1", ALWAYS + "f = Always()", "unsupported_value"),
    Attack("A2", ALWAYS + "def f(): return Always()", "unsupported_value", output="1.5",
           more={"equality": "approx", "rtol": 0.5, "atol": 10.0}),
    Attack("A2", ALWAYS + "def f(): return Always()", "unsupported_value", output="1",
           more={"equality": "python"}),
    Attack("A2", "import numpy\ndef f(): return numpy.array([1])", "unsupported_value",
           output="[1]", more={"equality": "python"}),
    *[
        Attack("A3", SUBCLASS.format(base=base, value=value), "unsupported_value", output=output)
        for base, value, output in (
            ("int", "Lie(1)", "1"), ("str", "Lie('a')", "'a'"), ("list", "Lie([1])", "[1]"),
            ("dict", "Lie(a=1)", "{'a': 1}"), ("float", "Lie(1.0)", "1.0"),
            ("tuple", "Lie((1,))", "(1,)"), ("set", "Lie({1})", "{1}"),
            ("bytes", "Lie(b'')", "b''"),
            ("int", "[{'k': (Lie(1),)}]", "[{'k': (1,)}]"),
        )
    ],
    Attack("A4", "class M(type):\n"
           "    def __instancecheck__(c, x): return True\n"
           "    def __subclasscheck__(c, x): return True\n"
           "    def __eq__(c, x): return True\n"
           "    def __hash__(c): return hash(str)\n"
           "    __name__ = property(lambda c: 'str')\n"
           "class S(metaclass=M):\n"
           "    __class__ = property(lambda self: str)\n"
           "    __module__ = 'builtins'\n"
           "def f(): return S()", "runtime_error"),
    Attack("A4", "class S:\n    __class__ = int\n    def __index__(self): return 1\n"
           "def f(): return S()", "unsupported_value", output="1"),
    Attack("A4", "class str(str): pass\ndef f(): return str('a')", "unsupported_value",
           output="'a'"),
    Attack("A5", "def f(): return True", output="1"),
    Attack("A5", "def f(): return 1.0", output="1"),
    Attack("A5", "def f(): return (1,)", output="[1]"),
    Attack("A5", "def f(): return [True, 0.0]", output="[1, 0]"),
    Attack("A5", "def f(): return float(2**53)", output=str(2**53 + 1),
           more={"equality": "python"}),
    Attack("A5", "def f(): return float(2**53)", output=str(2**53 + 1),
           more={"equality": "approx", "rtol": 0.0}),
    Attack("A5", "def f(): return float('nan')", output="1.0",
           more={"equality": "approx", "rtol": 1e9, "atol": 1e300}),
    Attack("A5", "def f(): return float('inf')", output="1.0",
           more={"equality": "approx", "rtol": 1e9, "atol": 1e300}),
    Attack("A5", "def f(): return {1: 'a'}", output="{True: 'a'}"),
    Attack("A6", "class Lazy:\n    n = 0\n    @property\n    def v(self):\n"
           "        self.n += 1\n        return self.n\ndef f(): return Lazy()",
           "unsupported_value"),
    Attack("A6", "x = []\ndef f():\n    import sys\n"
           "    class Later:\n        def __del__(self): x.append('more')\n"
           "    x.append(Later())\n    return x", "unsupported_value", output="['more']"),
    Attack("A6", "import functools\ndef f(): return functools.partial(int, 1)",
           "unsupported_value", output="1"),
    Attack("A7", "class R:\n    def __repr__(self): return '1'\n    __str__ = __repr__\n"
           "def f(): return R()", "unsupported_value", output="1"),
    Attack("A7", "class R(Exception):\n    def __repr__(self): return '1'\n    __str__ = __repr__\n"
           "def f(): return R()", output="1"),
    Attack("A7", "def f(): return '1'", output="1"),
    Attack("A7", "def f(): return '[1]'", output="[1]"),
    Attack("A7", "class int: pass\ndef f(): return int", "unsupported_value", output="1"),
    Attack("A7", "from collections import namedtuple\n"
           "def f(): return namedtuple('list', 'a')(1)", output="[1]"),
    Attack("A7", "import enum\nclass E(enum.Enum): A = 1\ndef f(): return E.A", output="1",
           more={"equality": "python"}),
    Attack("A8", "def f():\n    x = []\n    x.append(x)\n    return x", "unsupported_value"),
    Attack("A8", "def f():\n    x = ()\n    for _ in range(10**5): x = (x,)\n    return x",
           "unsupported_value"),
    Attack("A8", "def f():\n    x = 'a'\n    for _ in range(60): x = [x, x]\n    return x",
           "output_limit"),
    Attack("A8", "def f(): return list(range(10**6))", "output_limit"),
    Attack("A8", "def f(): return 1 << 10**7", "output_limit"),
    Attack("A9", "def f(): return iter('GOLD')", "unsupported_value"),
    Attack("A9", "def f():\n    yield 1", "unsupported_value", output="[1]"),
    Attack("A9", "def f(): return zip([1])", "unsupported_value", output="[(1,)]"),
    Attack("A9", "def f(): return [1]", output="[1, 2]"),
    Attack("A9", "def f(): return []", output="[1, 2]"),
    Attack("A9", "def f(): return {}", output="{'a': 1}"),
    Attack("A9", "def f(): return (1, 2, 3)", output="(1, 2)"),
    Attack("A10", "def f(): return ''"),
    Attack("A10", "def f(): return None"),
    Attack("A10", "def f(): return ' '", output="''"),
    Attack("A10", "def f(): return ''", output="None"),
    Attack("A10", "def f(): return 'None'", output="None"),
    Attack("A10", "def f(): return 'a\\n'", output="'a'"),
    Attack("A10", "def f(): return False", output="None"),
    Attack("A11", "def f(): return 'e\\u0301'", output="'\u00e9'"),
    Attack("A11", "def f(): return '\uff11'", output="'1'"),
    Attack("A11", "def f(): return '\u0430'", output="'a'"),
    Attack("A11", "def f(): return '\\ud800'", output="'?'"),
    Attack("A11", "def f(): return '\\ud83d\\ude00'", "unsupported_value", output="'\U0001f600'"),
    Attack("A11", "def f(): return 'a\\u200b'", output="'a'"),
    Attack("A12", "def f(x):\n    x[:] = [0]\n    return x", input="[1]", output="[1]"),
    Attack("A12", "def f(x):\n    x.clear()\n    return x", input="{'a': 1}", output="{'a': 1}"),
]  # fmt: skip


@params(ATTACKS)
def test_a_value_that_lies_is_not_equal(service: LiveService, attack: Attack) -> None:
    judge(service, attack)


@params([attack for attack in ATTACKS if attack.number in ("A1", "A3", "A6")])
def test_no_equality_and_no_number_of_replicas_believes_it(
    service: LiveService, attack: Attack
) -> None:
    for equality in ("typed", "python", "approx"):
        more = {"equality": equality, "replicas": 2, "atol": 1e300}
        judge(
            service,
            Attack(attack.number, attack.program, attack.status, output=attack.output, more=more),
        )
