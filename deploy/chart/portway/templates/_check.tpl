{{/*
Holds what users wrote against known.yaml, and moves older names to today's.

All faults are told at once, each as `values, PATH: reason`. Go templates have no return values but text: results are
gathered in a dictionary `state` that is changed in place.
*/}}

{{/* The values to render with, as JSON. Argument: the root. */}}
{{- define "portway.values" -}}
{{- $known := .Files.Get "known.yaml" | fromYaml -}}
{{- $values := .Values | toJson | fromJson -}}
{{- $state := dict "faults" list "moves" list "off" list -}}
{{- include "portway.walk" (dict "known" $known "values" $values "path" list "name" "" "state" $state) -}}
{{- include "portway.told" $state -}}
{{- $defaults := .Files.Get "defaults.yaml" | fromYaml -}}
{{/* Helm takes away what is null; a group without anything in it is as good, and needs no care later on. */}}
{{- include "portway.groups" (dict "given" $values "usual" $defaults) -}}
{{- include "portway.groups" (dict "given" $values.providers "usual" $defaults.providers) -}}
{{/* So that an entry point `metrics` that is off is none. */}}
{{- range $state.off -}}
{{- include "portway.unset" (dict "tree" $values "path" .) -}}
{{- end -}}
{{- range $state.moves -}}
{{- include "portway.move" (dict "move" . "values" $values "defaults" $defaults "state" $state) -}}
{{- end -}}
{{- include "portway.told" $state -}}
{{/* What was moved is looked at in its new place: the older names had coarser kinds. */}}
{{- include "portway.walk" (dict "known" $known "values" $values "path" list "name" "" "state" $state) -}}
{{- include "portway.told" $state -}}
{{- include "portway.lifeCycles" $values -}}
{{- include "portway.fit" (dict "values" $values "state" $state) -}}
{{- include "portway.told" $state -}}
{{- $values | toJson -}}
{{- end -}}

{{/* Arguments: given, usual. */}}
{{- define "portway.groups" -}}
{{- range $key, $usual := .usual -}}
{{- if and (kindIs "map" $usual) (not (index $.given $key)) -}}
{{- $_ := set $.given $key dict -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "portway.told" -}}
{{- if .faults -}}
{{- fail (printf "\n%s\n" (join "\n" .faults)) -}}
{{- end -}}
{{- end -}}

{{- define "portway.fault" -}}
{{- $text := printf "values, %s: %s" .path .reason -}}
{{- $_ := set .state "faults" (append .state.faults $text) -}}
{{- end -}}

{{/* Looks at every entry of a map. Arguments: known, values, path, name (what stands for `<name>`), state. */}}
{{- define "portway.walk" -}}
{{- $free := index .known "<name>" -}}
{{- range $key, $value := .values -}}
{{- $path := append $.path $key -}}
{{- if hasKey $.known $key -}}
{{- include "portway.look" (dict "kind" (index $.known $key) "value" $value "path" $path "name" $.name "state" $.state) -}}
{{- else if $free -}}
{{- include "portway.look" (dict "kind" $free "value" $value "path" $path "name" $key "state" $.state) -}}
{{- else -}}
{{- $reason := include "portway.unknown" (dict "written" $key "known" (keys $.known | sortAlpha) "path" $.path) -}}
{{- include "portway.fault" (dict "path" (join "." $path) "reason" $reason "state" $.state) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Looks at one value. Arguments: kind, value, path, name, state. */}}
{{- define "portway.look" -}}
{{- $path := join "." .path -}}
{{- if kindIs "invalid" .value -}}
{{- else if kindIs "map" .kind -}}
{{- if kindIs "map" .value -}}
{{- include "portway.walk" (dict "known" (omit .kind "<itself>") "values" .value "path" .path "name" .name "state" .state) -}}
{{- else if hasKey .kind "<itself>" -}}
{{- include "portway.look" (dict "kind" (index .kind "<itself>") "value" .value "path" .path "name" .name "state" .state) -}}
{{- else -}}
{{- include "portway.fault" (dict "path" $path "reason" (printf "expected a map, found `%v`" .value) "state" .state) -}}
{{- end -}}
{{- else -}}
{{- $words := splitList " " .kind -}}
{{- $word := first $words -}}
{{- if has $word (list "never" "later") -}}
{{- if include "portway.off" .value -}}
{{- $_ := set .state "off" (append .state.off .path) -}}
{{- else -}}
{{- $reason := rest $words | join " " | replace "<name>" (.name | default "<name>") -}}
{{- if eq $word "later" -}}
{{- $reason = printf "Portway does not serve Traefik's option `%s` yet" $reason -}}
{{- else -}}
{{- $reason = printf "means nothing here: %s" $reason -}}
{{- end -}}
{{- include "portway.fault" (dict "path" $path "reason" $reason "state" .state) -}}
{{- end -}}
{{- else if eq $word "older" -}}
{{- $target := index $words 1 | replace "<name>" .name -}}
{{- include "portway.look" (dict "kind" (slice $words 2 | join " ") "value" .value "path" .path "name" .name "state" .state) -}}
{{- $_ := set .state "moves" (append .state.moves (dict "from" .path "to" (splitList "." $target) "value" .value)) -}}
{{- else if not (include "portway.is" (dict "word" $word "of" (slice $words (min 2 (len $words))) "value" .value)) -}}
{{- $expected := dict "boolean" "`true` or `false`" "integer" "a whole number" "number" "a number" "port" "a port from 1 to 65535" "scalar" "a text or a number" "string" "a text" "list" "a list" "map" "a map" -}}
{{- $wanted := index $expected $word | default (printf "one of %s" (include "portway.quoted" (rest (rest $words)))) -}}
{{- include "portway.fault" (dict "path" $path "reason" (printf "expected %s, found `%v`" $wanted .value) "state" .state) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* `true` when a value is of a kind. Arguments: word, of (the words of `one of`), value. */}}
{{- define "portway.is" -}}
{{- $number := or (kindIs "float64" .value) (kindIs "int64" .value) (kindIs "int" .value) -}}
{{- $whole := and $number (eq (float64 .value) (floor .value)) -}}
{{- if or
  (eq .word "any")
  (and (eq .word "boolean") (kindIs "bool" .value))
  (and (eq .word "integer") $whole)
  (and (eq .word "list") (kindIs "slice" .value))
  (and (eq .word "map") (kindIs "map" .value))
  (and (eq .word "number") $number)
  (and (eq .word "one") (kindIs "string" .value) (or (eq .value "") (has .value .of)))
  (and (eq .word "port") $whole (ge (float64 .value) 1.0) (le (float64 .value) 65535.0))
  (and (eq .word "scalar") (or $number (kindIs "string" .value)))
  (and (eq .word "string") (kindIs "string" .value))
-}}
true
{{- end -}}
{{- end -}}

{{/* `true` when a value switches off what it belongs to: nothing, false, empty, or a map of such. */}}
{{- define "portway.off" -}}
{{- if empty . -}}
true
{{- else if kindIs "map" . -}}
{{- $on := list -}}
{{- if hasKey . "enabled" -}}
{{- if .enabled -}}
{{- $on = list "enabled" -}}
{{- end -}}
{{- else -}}
{{- range $key, $value := . -}}
{{- if not (include "portway.off" $value) -}}
{{- $on = append $on $key -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not $on -}}
true
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
Moves a value from an older name to today's. Where both were given and differ, one of them would be ignored: a fault.
Arguments: move (from, to, value), values, defaults, state.
*/}}
{{- define "portway.move" -}}
{{- $to := .move.to -}}
{{/* First, since the new place may be within the old one: `expose: true` becomes `expose.default: true`. */}}
{{- include "portway.unset" (dict "tree" .values "path" .move.from) -}}
{{- $standing := include "portway.at" (dict "tree" .values "path" $to) -}}
{{- $default := include "portway.at" (dict "tree" .defaults "path" $to) -}}
{{- if and $standing (ne $standing $default) (ne $standing (toJson .move.value)) -}}
{{- $reason := printf "`%s` is its name today, and both are given; keep `%s`" (join "." $to) (join "." $to) -}}
{{- include "portway.fault" (dict "path" (join "." .move.from) "reason" $reason "state" .state) -}}
{{- end -}}
{{- $parent := .values -}}
{{- range initial $to -}}
{{- if not (kindIs "map" (index $parent .)) -}}
{{- $_ := set $parent . dict -}}
{{- end -}}
{{- $parent = index $parent . -}}
{{- end -}}
{{- $there := index $parent (last $to) -}}
{{- if and (kindIs "map" $there) (kindIs "map" .move.value) -}}
{{- range $key, $value := .move.value -}}
{{- $_ := set $there $key $value -}}
{{- end -}}
{{- else -}}
{{- $_ := set $parent (last $to) .move.value -}}
{{- end -}}
{{- end -}}

{{/* What stands at a path, as JSON; empty when nothing does. Arguments: tree, path. */}}
{{- define "portway.at" -}}
{{- $tree := .tree -}}
{{- range .path -}}
{{- if kindIs "map" $tree -}}
{{- $tree = index $tree . -}}
{{- else -}}
{{- $tree = "" -}}
{{- end -}}
{{- end -}}
{{- if not (kindIs "invalid" $tree) -}}
{{- if not (eq (toJson $tree) "\"\"") -}}
{{- toJson $tree -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Takes away what stands at a path. Arguments: tree, path. */}}
{{- define "portway.unset" -}}
{{- $tree := .tree -}}
{{- range initial .path -}}
{{- $tree = index $tree . -}}
{{- end -}}
{{- $_ := unset $tree (last .path) -}}
{{- end -}}
