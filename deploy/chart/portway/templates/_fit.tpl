{{/* Values that are well-formed each and do not fit each other. */}}

{{/* Arguments: values, state. */}}
{{- define "portway.fit" -}}
{{- $state := .state -}}
{{- $values := .values -}}
{{- $daemon := eq $values.deployment.kind "DaemonSet" -}}
{{- range $name, $port := $values.ports -}}
{{- if $port -}}
{{- $path := printf "ports.%s" $name -}}
{{- if not $port.port -}}
{{- include "portway.fault" (dict "path" (printf "%s.port" $path) "reason" "is missing: the port that the entry point listens on" "state" $state) -}}
{{- end -}}
{{- if and $values.hostNetwork $port.hostPort (ne (int $port.hostPort) (int $port.port)) -}}
{{- $reason := printf "must be `%s.port` (%d) with hostNetwork, where both are ports of the node" $path (int $port.port) -}}
{{- include "portway.fault" (dict "path" (printf "%s.hostPort" $path) "reason" $reason "state" $state) -}}
{{- end -}}
{{- $cycle := ($port.transport).lifeCycle | default dict -}}
{{- $needed := add (include "portway.seconds" $cycle.requestAcceptGraceTimeout | default "0") (include "portway.seconds" $cycle.graceTimeOut | default "10") -}}
{{- $given := $values.deployment.terminationGracePeriodSeconds | default 60 | int -}}
{{- if ge (int $needed) $given -}}
{{- $reason := printf "takes %ds with its grace time, and deployment.terminationGracePeriodSeconds kills the pod after %ds" (int $needed) $given -}}
{{- include "portway.fault" (dict "path" (printf "%s.transport.lifeCycle" $path) "reason" $reason "state" $state) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (not $values.ports.traefik) (not $values.deployment.healthchecksPort) $values.deployment.enabled -}}
{{- include "portway.fault" (dict "path" "deployment.healthchecksPort" "reason" "is missing: without the entry point `traefik` probes need a port" "state" $state) -}}
{{- end -}}
{{- if and $values.autoscaling.enabled $daemon -}}
{{- include "portway.fault" (dict "path" "autoscaling.enabled" "reason" "a DaemonSet has one pod for each node and cannot be scaled" "state" $state) -}}
{{- end -}}
{{- if and $values.autoscaling.enabled (not $values.autoscaling.maxReplicas) -}}
{{- include "portway.fault" (dict "path" "autoscaling.maxReplicas" "reason" "is missing" "state" $state) -}}
{{- end -}}
{{- if and (eq ($values.updateStrategy.type | default "") "Recreate") $daemon -}}
{{- include "portway.fault" (dict "path" "updateStrategy.type" "reason" "a DaemonSet has `RollingUpdate` and `OnDelete`, not `Recreate`" "state" $state) -}}
{{- end -}}
{{- if and (eq ($values.updateStrategy.type | default "") "OnDelete") (not $daemon) -}}
{{- include "portway.fault" (dict "path" "updateStrategy.type" "reason" "a Deployment has `RollingUpdate` and `Recreate`, not `OnDelete`" "state" $state) -}}
{{- end -}}
{{- if and $values.rbac.namespaced $values.rbac.aggregateTo -}}
{{- include "portway.fault" (dict "path" "rbac.aggregateTo" "reason" "only a ClusterRole can be aggregated, and rbac.namespaced makes Roles" "state" $state) -}}
{{- end -}}
{{- $budget := $values.podDisruptionBudget -}}
{{- if and $budget.enabled (not (kindIs "invalid" $budget.minAvailable)) (not (kindIs "invalid" $budget.maxUnavailable)) -}}
{{- include "portway.fault" (dict "path" "podDisruptionBudget" "reason" "has either minAvailable or maxUnavailable, not both" "state" $state) -}}
{{- end -}}
{{- range $name, $route := $values.ingressRoute -}}
{{- if ($route).enabled -}}
{{- if not $route.matchRule -}}
{{- include "portway.fault" (dict "path" (printf "ingressRoute.%s.matchRule" $name) "reason" "is missing" "state" $state) -}}
{{- end -}}
{{- range $route.entryPoints -}}
{{- if not (index $values.ports .) -}}
{{- $reason := printf "there is no entry point `%s`; `ports` has %s" . (include "portway.quoted" (keys $values.ports | sortAlpha)) -}}
{{- include "portway.fault" (dict "path" (printf "ingressRoute.%s.entryPoints" $name) "reason" $reason "state" $state) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and ($values.ingressRoute.dashboard).enabled (not $values.api.dashboard) -}}
{{- include "portway.fault" (dict "path" "ingressRoute.dashboard.enabled" "reason" "there is no dashboard without api.dashboard" "state" $state) -}}
{{- end -}}
{{- end -}}

{{/* The seconds of a duration such as `10s`, `2m` or 10; empty when it is written otherwise. */}}
{{- define "portway.seconds" -}}
{{- $text := include "portway.text" . -}}
{{- if regexMatch "^[0-9]+s?$" $text -}}
{{- trimSuffix "s" $text -}}
{{- else if regexMatch "^[0-9]+m$" $text -}}
{{- mul 60 (trimSuffix "m" $text) -}}
{{- end -}}
{{- end -}}
