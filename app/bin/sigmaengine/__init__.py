"""Sigma rules: reading, compiling, routing and matching. Run time of Sigma Match.

Standard library only, Python 3.9 and later. Data flows one way::

    rule text -> mapping -> Rule -> compiled rule set (JSON) -> Matcher -> matches

Modules, lowest first (a module imports only from those above it):

================  ================================================================
problems          what is wrong with a rule, where, in words for its author
folding           simple Unicode case folding, one code point at a time
numbers           exact comparison of numbers written as text
scalars           plain scalars of YAML 1.2 -> values
packedjson        JSON as the files of compiled rules hold it
patterns          Sigma strings: escapes, wildcards, windash; matching them
placeholders      placeholders in the values of rules
modifiers         the modifier table: a chain and a value -> value tests
condition         the condition language: text -> expression
thresholds        numbers that a correlation's condition compares with
orderedterms      a condition over rules in an order, as alternatives
metadata          what a document says about itself: id, title, level and so on
rule              a rule's mapping -> Rule
correlation       a correlation's mapping -> Correlation
correlationwords  whom references mean, as words of a condition too
correlationrefs   what correlations refer to: rules, other correlations
aggregation       a rule of Sigma 1 that counts -> a rule and a correlation document
filters           filter documents; rules with the filters that reach them
documents         the documents of a file, with 'action' -> what each is
addresses         IP networks and addresses by arithmetic
windowsxml        what is in a Windows event's XML but not in its fields
predicates        value tests -> functions
fields            field aliases; a row of cells -> the values of a Sigma field
timestamps        times of events as whole nanoseconds
occurrences       events and alerts as parts of a correlation's groups
aggregates        what a group's window amounts to
correlator        sliding windows: events in order of time -> alerts
plaincorrelation  correlations by their definition, the oracle of it
timesort          records sorted by time, on disk where they are many
plain             the plain evaluator, the oracle of the fast one
gates             text that a value must hold for a test to pass
conjunctions      a condition as conjunctions of literals
indexing          a field's tests -> the index that a value is looked up in
anchors           which of a field's literals are looked up, which asked for
program           the rules of one log source as masks, as JSON
textsearch        which of many literals are in a text
fieldmasks        one field's masks: values -> bits
diagram           rules over columns as a decision diagram, drawn as needed
routing           which events a log source means
views             how fields are looked up in events of a log source
selection         which rules a search asks for
correlationplan   which correlations a search evaluates and shows
ruleset           the compiled form on disk, versioned
groups            the selected rules of one log source, ready to run
chunks            Splunk's chunked protocol: chunks, records, cells
lookupfiles       lookups that people edit: which are there, their rows
knownnames        rules by id, title or glob
exceptions        lookup: matches that are not wanted
rulesettings      lookup: which rules are on, their levels and scores
placeholderrows   lookup: values of placeholders
logsourcerows     lookup: more events of a log source
ruletext          YAML 1.2 text -> mapping; needs PyYAML
expanding         rules with placeholders, to be read when these have values
customrules       lookup: rules; needs PyYAML where there are any
lookupchanges     what each lookup changes about a rule set
overrides         the lookups that people edit, as a search sees them
signsearch        whether keywords can be in an event at all
lanes             rules of several log sources on a kind of events
matcher           events in, matching rules out
results           matching rules -> the fields a search sees
basematches       matched rows -> what correlations need of them
alertrows         alerts -> the fields that a search sees
rawrows           rows of CSV split at their quotes
datapath          a chunk's table through the matcher, bytes to bytes
correlatepath     a chunk's table through the correlations
adhoc             rule text in a search -> Rule; needs PyYAML
adhoccorrelation  a correlation in a search; needs PyYAML
================  ================================================================
"""
