{{/* The pod of the Deployment or DaemonSet. Arguments: values, root. */}}
{{- define "portway.pod" -}}
{{- $values := .values -}}
{{- $root := .root -}}
{{- $deployment := $values.deployment -}}
metadata:
  labels:
    {{- include "portway.labels" $root | nindent 4 }}
    {{- with $deployment.podLabels }}
    {{- tpl (toYaml .) $root | nindent 4 }}
    {{- end }}
  {{- with $deployment.podAnnotations }}
  annotations:
    {{- tpl (toYaml .) $root | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "portway.serviceAccount" $root }}
  automountServiceAccountToken: true
  # Services' addresses have no place in the environment that options are read from.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ $deployment.terminationGracePeriodSeconds | default 60 | int }}
  {{- if $values.hostNetwork }}
  hostNetwork: true
  {{- end }}
  {{- with $deployment.dnsPolicy | default ($values.hostNetwork | default false | ternary "ClusterFirstWithHostNet" "") }}
  dnsPolicy: {{ . }}
  {{- end }}
  {{- if not (kindIs "invalid" $deployment.hostUsers) }}
  hostUsers: {{ $deployment.hostUsers }}
  {{- end }}
  {{- if $deployment.shareProcessNamespace }}
  shareProcessNamespace: true
  {{- end }}
  {{- with $deployment.runtimeClassName }}
  runtimeClassName: {{ . }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- range $field, $value := dict
    "affinity" $values.affinity
    "dnsConfig" $deployment.dnsConfig
    "hostAliases" $deployment.hostAliases
    "imagePullSecrets" $deployment.imagePullSecrets
    "initContainers" $deployment.initContainers
    "nodeSelector" $values.nodeSelector
    "securityContext" $values.podSecurityContext
    "tolerations" $values.tolerations
  }}
  {{- with $value }}
  {{ $field }}:
    {{- tpl (toYaml .) $root | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- with $values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- range . }}
    - {{ tpl (toYaml .) $root | nindent 6 | trim }}
      {{- if not .labelSelector }}
      labelSelector:
        matchLabels:
          {{- include "portway.selector" $root | nindent 10 }}
      {{- end }}
    {{- end }}
  {{- end }}
  containers:
    - name: portway
      image: {{ include "portway.image" . | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy | default "IfNotPresent" }}
      args:
        {{- include "portway.arguments" . | trim | nindent 8 }}
      env:
        {{- include "portway.environment" . | trim | nindent 8 }}
      {{- with $values.envFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        {{- range $name, $port := $values.ports }}
        {{- if $port }}
        - name: {{ include "portway.port" $name }}
          containerPort: {{ $port.containerPort | default $port.port }}
          protocol: {{ $port.protocol | default "TCP" }}
          {{- with $port.hostPort }}
          hostPort: {{ . }}
          {{- end }}
          {{- if and $port.hostIP $port.hostPort }}
          hostIP: {{ $port.hostIP | quote }}
          {{- end }}
        {{- end }}
        {{- end }}
      {{- include "portway.probes" . | trim | nindent 6 }}
      {{- with $values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $deployment.lifecycle }}
      lifecycle:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.securityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with include "portway.mounts" . }}
      volumeMounts:
        {{- . | trim | nindent 8 }}
      {{- end }}
    {{- with $deployment.additionalContainers }}
    {{- tpl (toYaml .) $root | nindent 4 }}
    {{- end }}
  {{- with include "portway.volumes" . }}
  volumes:
    {{- . | trim | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* Names that Portway goes by; never the host's name, which nodes may share. Arguments: values, root. */}}
{{- define "portway.environment" -}}
{{- $given := list -}}
{{- range .values.env -}}
{{- $given = append $given .name -}}
{{- end -}}
{{- range $name, $field := dict "NODE_NAME" "spec.nodeName" "POD_NAME" "metadata.name" "POD_NAMESPACE" "metadata.namespace" -}}
{{- if not (has $name $given) }}
- name: {{ $name }}
  valueFrom:
    fieldRef:
      fieldPath: {{ $field }}
{{- end -}}
{{- end -}}
{{- with .values.env }}
{{ toYaml . }}
{{- end -}}
{{- end -}}

{{/* All three ask /ping on the entry point `traefik`. Arguments: values, root. */}}
{{- define "portway.probes" -}}
{{- $values := .values -}}
{{- $deployment := $values.deployment -}}
{{- range $probe, $path := dict "livenessProbe" $deployment.livenessPath "readinessProbe" $deployment.readinessPath "startupProbe" $deployment.readinessPath -}}
{{- $times := index $values $probe -}}
{{- if $times }}
{{ $probe }}:
  httpGet:
    path: {{ $path | default "/ping" }}
    port: {{ $deployment.healthchecksPort | default ($values.ports.traefik).port }}
    {{- with $deployment.healthchecksHost | default ($values.ports.traefik).hostIP }}
    host: {{ . | quote }}
    {{- end }}
    {{- with $deployment.healthchecksScheme }}
    scheme: {{ . }}
    {{- end }}
  {{- toYaml $times | nindent 2 }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "portway.mounts" -}}
{{- $root := .root -}}
{{- if (.values.providers.file).enabled }}
- name: dynamic
  mountPath: /etc/portway/dynamic
  readOnly: true
{{- end -}}
{{- range .values.volumes }}
- name: {{ tpl .name $root | replace "." "-" }}
  mountPath: {{ .mountPath }}
  readOnly: true
{{- end -}}
{{- with .values.additionalVolumeMounts }}
{{ tpl (toYaml .) $root }}
{{- end -}}
{{- end -}}

{{- define "portway.volumes" -}}
{{- $root := .root -}}
{{- if (.values.providers.file).enabled }}
- name: dynamic
  configMap:
    name: {{ include "portway.fullname" $root }}-dynamic
{{- end -}}
{{- range .values.volumes }}
- name: {{ tpl .name $root | replace "." "-" }}
  {{- if eq .type "secret" }}
  secret:
    secretName: {{ tpl .name $root }}
  {{- else if eq .type "configMap" }}
  configMap:
    name: {{ tpl .name $root }}
  {{- else }}
  {{- fail (printf "\nvalues, volumes: the type of `%s` must be `secret` or `configMap`, found `%v`; others go into deployment.additionalVolumes\n" .name .type) }}
  {{- end }}
{{- end -}}
{{- with .values.deployment.additionalVolumes }}
{{ tpl (toYaml .) $root }}
{{- end -}}
{{- end -}}
