{{/* Names and labels. Where the argument is the root, the values are those that were written. */}}

{{- define "portway.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of most objects: the release, with the chart's name unless it is in there. */}}
{{- define "portway.fullname" -}}
{{- $name := include "portway.name" . -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- default $full .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "portway.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{/* The name of objects of the cluster: two releases in two namespaces must not share one. */}}
{{- define "portway.clusterName" -}}
{{- printf "%s-%s" (include "portway.fullname" .) (include "portway.namespace" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* What a workload selects its pods by; it can never change, so versions have no place in it. */}}
{{- define "portway.selector" -}}
app.kubernetes.io/name: {{ include "portway.name" . }}
app.kubernetes.io/instance: {{ default (printf "%s-%s" .Release.Name (include "portway.namespace" .)) .Values.instanceLabelOverride | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "portway.labels" -}}
{{ include "portway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "portway.serviceAccount" -}}
{{- default (include "portway.fullname" .) (.Values.serviceAccount).name -}}
{{- end -}}

{{/* The Service's name. Arguments: values, root. */}}
{{- define "portway.service" -}}
{{- .values.service.nameOverride | default (include "portway.fullname" .root) -}}
{{- end -}}

{{/* Arguments: values, root. */}}
{{- define "portway.image" -}}
{{- $image := .values.image -}}
{{- $registry := (.values.global).systemDefaultRegistry | default $image.registry -}}
{{- $name := list $registry $image.repository | compact | join "/" -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name ($image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* The name of a container's port, which Kubernetes limits to 15 letters: longer ones are cut and told apart by a hash. */}}
{{- define "portway.port" -}}
{{- $name := lower . -}}
{{- if gt (len $name) 15 -}}
{{- $name = printf "%s-%s" (trunc 10 $name) (sha256sum $name | trunc 4) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{/* The namespaces that the providers look into with rbac.namespaced, and the release's own, as JSON. Arguments: values, root. */}}
{{- define "portway.namespaces" -}}
{{- $all := list (include "portway.namespace" .root) -}}
{{- range list .values.providers.kubernetesCRD .values.providers.kubernetesIngress -}}
{{- if .enabled -}}
{{- $all = concat $all (.namespaces | default list) -}}
{{- end -}}
{{- end -}}
{{- $all | uniq | sortAlpha | toJson -}}
{{- end -}}
