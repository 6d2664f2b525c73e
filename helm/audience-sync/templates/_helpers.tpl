{{/* The name of everything here: the release's, with the chart's unless the release says it already. */}}
{{- define "audience-sync.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods. Never changes, or upgrades fail. */}}
{{- define "audience-sync.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "audience-sync.labels" -}}
{{ include "audience-sync.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* What must be given, and what cannot be meant, in words. */}}
{{- define "audience-sync.check" -}}
{{- $secret := required "credentials.existingSecret: name a Secret with the keys app-id, admin and signing-key" .Values.credentials.existingSecret -}}
{{- $servers := required "kafka.bootstrapServers: where are the brokers?" .Values.kafka.bootstrapServers -}}
{{- if lt (float64 .Values.debounce.longestWaitSeconds) (float64 .Values.debounce.quietSeconds) -}}
{{- fail "debounce.longestWaitSeconds must not be below debounce.quietSeconds" -}}
{{- end -}}
{{- if hasPrefix "SASL" .Values.kafka.securityProtocol -}}
{{- if not (and .Values.kafka.saslMechanism .Values.kafka.saslSecret) -}}
{{- fail "kafka.saslMechanism and kafka.saslSecret are needed with a SASL protocol" -}}
{{- end -}}
{{- end -}}
{{- end -}}
