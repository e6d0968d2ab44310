{{/* The rights of Portway, each with what it is for. Nothing but status, events and its own Lease is ever written. */}}

{{/* What is read in a namespace, and what is written back there. Arguments: values. */}}
{{- define "portway.rules" -}}
# Whom requests go to, and with which keys. Any Secret or ConfigMap may be named by a route.
- apiGroups: [""]
  resources: [configmaps, secrets, services]
  verbs: [list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
{{- if .values.providers.kubernetesIngress.enabled }}
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses/status]
  verbs: [patch]
{{- end }}
{{- if .values.providers.kubernetesCRD.enabled }}
{{- $kinds := list "ingressroutes" "ingressroutetcps" "ingressrouteudps" "middlewares" "middlewaretcps" "serverstransports" "serverstransporttcps" "tlsoptions" "tlsstores" "traefikservices" }}
- apiGroups: [traefik.containo.us, traefik.io]
  resources:
    {{- range $kinds }}
    - {{ . }}
    {{- end }}
  verbs: [get, list, watch]
- apiGroups: [traefik.containo.us, traefik.io]
  resources:
    {{- range $kinds }}
    - {{ . }}/status
    {{- end }}
  verbs: [patch]
{{- end }}
# Events stand beside the object that they are about.
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end -}}

{{/* What belongs to no namespace. Arguments: values. */}}
{{- define "portway.clusterRules" -}}
# Addresses of nodes, for services that are reached through their NodePort.
- apiGroups: [""]
  resources: [nodes]
  verbs: [list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingressclasses]
  verbs: [list, watch]
{{- end -}}
