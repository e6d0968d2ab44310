{{/* What to say of an unknown name, and the nearest known one. */}}

{{/* Arguments: written, known (a list of names), path (of the map that both are in, a list). */}}
{{- define "portway.unknown" -}}
{{- $best := 0 -}}
{{- $nearest := "" -}}
{{- range .known -}}
{{- $likeness := include "portway.likeness" (dict "one" $.written "other" .) | int -}}
{{- if gt $likeness $best -}}
{{- $best = $likeness -}}
{{- $nearest = . -}}
{{- end -}}
{{- end -}}
{{- if ge $best 50 -}}
unknown value; did you mean `{{ append .path $nearest | join "." }}`?
{{- else if and .path (le (len .known) 16) -}}
unknown value; `{{ join "." .path }}` has {{ include "portway.quoted" .known }}
{{- else -}}
unknown value
{{- end -}}
{{- end -}}

{{/* How many of the neighbouring letters of two names are the same, in percent (Dice's coefficient), in any case. */}}
{{- define "portway.likeness" -}}
{{- $one := printf "<%s>" (lower .one) -}}
{{- $other := printf "<%s>" (lower .other) -}}
{{- $same := 0 -}}
{{- range $at := until (sub (len $one) 1 | int) -}}
{{- if contains (substr $at (add $at 2 | int) $one) $other -}}
{{- $same = add $same 1 -}}
{{- end -}}
{{- end -}}
{{- div (mul 200 $same) (add (len $one) (len $other) -2) -}}
{{- end -}}

{{- define "portway.quoted" -}}
{{- $quoted := list -}}
{{- range . -}}
{{- $quoted = append $quoted (printf "`%s`" .) -}}
{{- end -}}
{{- join ", " $quoted -}}
{{- end -}}
