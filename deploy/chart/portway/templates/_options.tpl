{{/* The flags of the container. */}}

{{/* A scalar as a flag has it: whole numbers without an exponent. */}}
{{- define "portway.text" -}}
{{- if kindIs "float64" . -}}
{{- eq . (floor .) | ternary (printf "%.0f" .) (toString .) -}}
{{- else if not (kindIs "invalid" .) -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{/*
The flags of a tree of values that have the names of Traefik's options, one YAML list item a line. A group with
`enabled` is a switch: on, it is a flag of its own; off, nothing in it is. Arguments: path, value.
*/}}
{{- define "portway.flags" -}}
{{- $path := .path -}}
{{- if kindIs "map" .value -}}
{{- $enabled := index .value "enabled" -}}
{{- if or (kindIs "invalid" $enabled) $enabled -}}
{{- if $enabled }}
{{ printf "--%s=true" $path | quote | printf "- %s" }}
{{- end -}}
{{- range $key, $value := omit .value "enabled" -}}
{{- include "portway.flags" (dict "path" (printf "%s.%s" $path $key) "value" $value) -}}
{{- end -}}
{{- end -}}
{{- else if kindIs "slice" .value -}}
{{- $texts := list -}}
{{- range $at, $item := .value -}}
{{- if kindIs "map" $item -}}
{{- include "portway.flags" (dict "path" (printf "%s[%d]" $path $at) "value" $item) -}}
{{- else -}}
{{- $texts = append $texts (include "portway.text" $item) -}}
{{- end -}}
{{- end -}}
{{- if $texts }}
{{ printf "--%s=%s" $path (join "," $texts) | quote | printf "- %s" }}
{{- end -}}
{{- else -}}
{{- $text := include "portway.text" .value -}}
{{- if $text }}
{{ printf "--%s=%s" $path $text | quote | printf "- %s" }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* All flags, one YAML list item a line. Arguments: values, root. */}}
{{- define "portway.arguments" -}}
{{- $values := .values -}}
{{- range $values.globalArguments }}
- {{ . | quote }}
{{- end -}}
{{- include "portway.flags" (dict "path" "global" "value" (pick ($values.global | default dict) "checkNewVersion" "sendAnonymousUsage" "notAppendXForwardedFor")) -}}
{{- range $name, $port := $values.ports -}}
{{- if $port -}}
{{- $host := $port.hostIP | default "" -}}
{{- if contains ":" $host -}}
{{- $host = printf "[%s]" $host -}}
{{- end }}
- {{ printf "--entryPoints.%s.address=%s:%d/%s" $name $host (int $port.port) ($port.protocol | default "TCP" | lower) | quote }}
{{- $options := pick $port "asDefault" "forwardedHeaders" "http" "observability" "reusePort" "transport" -}}
{{- /* As in Traefik's chart, a group that believes nobody is none. */ -}}
{{- with $port.proxyProtocol -}}
{{- if or .insecure .trustedIPs -}}
{{- $_ := set $options "proxyProtocol" . -}}
{{- end -}}
{{- end -}}
{{- include "portway.flags" (dict "path" (printf "entryPoints.%s" $name) "value" $options) -}}
{{- end -}}
{{- end -}}
{{- include "portway.flags" (dict "path" "api" "value" $values.api) }}
- "--ping=true"
{{- include "portway.flags" (dict "path" "core" "value" ($values.core | default dict)) -}}
{{- include "portway.flags" (dict "path" "log" "value" ($values.log | default dict)) -}}
{{- include "portway.flags" (dict "path" "accessLog" "value" ($values.accessLog | default dict)) -}}
{{- include "portway.flags" (dict "path" "ocsp" "value" ($values.ocsp | default dict)) -}}
{{- include "portway.providers" . -}}
{{- range $values.additionalArguments }}
- {{ . | quote }}
{{- end -}}
{{- end -}}

{{/*
Gives each entry point the times of a graceful end that it says nothing of. Traefik's own (0s and 10s) close the listener
while nodes still send connections. Argument: values.
*/}}
{{- define "portway.lifeCycles" -}}
{{- range .ports -}}
{{- if . -}}
{{- $transport := .transport | default dict -}}
{{- $given := $transport.lifeCycle | default dict -}}
{{- $cycle := dict "requestAcceptGraceTimeout" "10s" "graceTimeOut" "30s" -}}
{{- range $key, $value := $given -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $_ := set $cycle $key $value -}}
{{- end -}}
{{- end -}}
{{- $_ := set $transport "lifeCycle" $cycle -}}
{{- $_ := set . "transport" $transport -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The flags of the providers. Arguments: values, root. */}}
{{- define "portway.providers" -}}
{{- $values := .values -}}
{{- $root := .root -}}
{{- range $name := list "kubernetesCRD" "kubernetesIngress" -}}
{{- $provider := index $values.providers $name -}}
{{- if $provider.enabled -}}
{{- $options := omit $provider "publishedService" -}}
{{- if $values.rbac.namespaced -}}
{{- $namespaces := $provider.namespaces | default (list (include "portway.namespace" $root)) -}}
{{- $_ := set $options "namespaces" $namespaces -}}
{{- $_ := set $options "disableClusterScopeResources" true -}}
{{- end -}}
{{- include "portway.flags" (dict "path" (printf "providers.%s" $name) "value" $options) -}}
{{- if and (eq $name "kubernetesIngress") ($provider.publishedService).enabled -}}
{{- $addresses := $provider.ingressEndpoint | default dict -}}
{{- if and (not $addresses.hostname) (not $addresses.ip) }}
- {{ printf "--providers.kubernetesIngress.ingressEndpoint.publishedService=%s" (include "portway.published" $) | quote }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if ($values.providers.file).enabled }}
- "--providers.file.directory=/etc/portway/dynamic"
- {{ printf "--providers.file.watch=%t" $values.providers.file.watch | quote }}
{{- end -}}
{{- end -}}

{{/* The Service whose addresses Ingresses get, `namespace/name`. Arguments: values, root. */}}
{{- define "portway.published" -}}
{{- $own := printf "%s/%s" (include "portway.namespace" .root) (include "portway.service" .) -}}
{{- .values.providers.kubernetesIngress.publishedService.pathOverride | default $own -}}
{{- end -}}
