"""As much of PowerShell as ``convert --target powershell`` writes, made from its documentation.

about_Quoting_Rules, about_Operators, about_Operator_Precedence (``-and`` and ``-or`` have the same precedence),
about_Comparison_Operators (an array on the left is filtered), about_Booleans, about_Wildcards, about_Arrays,
about_Script_Blocks, Get-WinEvent, and .NET's about the methods that are called. It shares no code with the
writer, and knows nothing that is not written: whatever else stands in a command is an error.
"""

from .commands import Command, PowerShellError, parse
from .events import WinEvent

__all__ = ["Command", "PowerShellError", "WinEvent", "parse"]
