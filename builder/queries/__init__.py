"""Rules as queries of languages other than Splunk's.

=============  =================================================================================
module         does
=============  =================================================================================
language       how a language says the parts of a rule: what each target overrides
walker         a rule over one kind of events -> what a language says of it
events         which events a rule means to a target, and what its fields are called there
target         what a target of ``convert`` is
reading        in which channels, and by which ids, the events of a rule can be found
dotnet         a regular expression of Python's -> one of .NET's
powershell     a target
logpoint       a target; logpointnames: what its data is called
=============  =================================================================================

Each imports only those above it; a target is a module beside them that imports them, and a row of
``builder.converting.TARGETS``. What a language cannot say it refuses (``RefusedError``), with a reason:
no query finds less than its rule, or more.
"""
