"""Of the plan and the checks."""

from __future__ import annotations

from tests.equivalent_mutants.change import Change

EQUIVALENT: dict[Change, str] = {
    (
        "manifest.plan.template._braces",
        "stop = None",
    ): "a search from None begins where one from 0 does",
    (
        "manifest.plan.template.render",
        "end = None",
    ): "a slice from None begins where one from 0 does",
    (
        "manifest.plan.template.near_ports",
        'own = [f"{service}.{name}" for name in islice(ports.get(service, ()), None)]',
    ): "a bound on the work: three are told in the end",
    (
        "manifest.plan.template.near_ports",
        'own = [f"{service}.{name}" for name in islice(ports.get(service, ()), 4)]',
    ): "a bound on the work: three are told in the end",
    (
        "manifest.plan.graph.xǁGraphǁall_dependencies",
        "return self._reach(service_id, up=None)",
    ): "None is as false as False, and a key of its own in what is remembered",
    (
        "manifest.plan.assets.judge_size",
        "if size >= stated:",
    ): "the size that is stated has been let pass by the first line",
    (
        "manifest.plan.migrations._part",
        "return True, 1, text",
    ): "the number is compared where both are numbers only",
    (
        "manifest.plan.migrations._part",
        'digits = text.lstrip("XX0XX")',
    ): "no digit is an X",
    (
        "manifest.plan.ports.choose",
        "never = frozenset(reserved) | ({control_port} if (control_port) or True else frozenset())",
    ): "no port is None",
    (
        "manifest.plan.ports.xǁ_Beyondǁfirst",
        "passed.append(None)",
    ): "the same choice, with more work",
    (
        "manifest.plan.ports.xǁ_Choiceǁplace",
        "self._used_up.add(None)",
    ): "the same choice, with so much work that a test of sixty thousand ports notices",
    (
        "manifest.plan.command.candidates",
        "if binary_folder or not os.path.isabs(word):",
    ): "the first place a second time, which is left out",
    (
        "manifest.plan.command.candidates",
        'folders = environ.get("PATH", "XXXX").split(";" if windows else ":")',
    ): "no folder that is not absolute is looked into",
    (
        "manifest.plan.command.on_path",
        'for folder in environ.get("PATH", "XXXX").split(os.pathsep)',
    ): "no folder that is not absolute is looked into",
    (
        "manifest.plan.command.on_path",
        "for name in with_suffixes(os.path.join(folder, word), None)",
    ): "looked at on Windows only",
    (
        "manifest.plan.template._braces",
        'while (start := text.find("${", stop)) >= 0 and (brace := text.find("}", start)) > 0:',
    ): "a brace stands behind the two letters that it closes",
    (
        "manifest.plan.template._braces",
        'while (start := text.find("${", stop)) >= 0 and (brace := text.find("}", start)) >= 1:',
    ): "a brace stands behind the two letters that it closes",
    (
        "manifest.plan.template._braces",
        'start = text.rfind("${", None, brace)',
    ): "the last one is not before the first",
    (
        "manifest.check.names._lengths",
        "if len(name) + len(value) >= SURELY_SHORT:",
    ): "what is surely short is measured, and found short",
    (
        "manifest.check.names._lengths",
        "if len(value) >= SURELY_SHORT:",
    ): "what is surely short is measured, and found short",
    (
        "manifest.plan.claims.claims_of",
        "ours += _of_log(None, service)",
    ): "where the service stands is told of a log that its field has chosen only",
}
