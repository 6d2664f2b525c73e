{{/* The name of everything here: the release's, with the chart's unless the release says it already. */}}
{{- define "audience-sync.name" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 43 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 43 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods. Never changes, or upgrades fail. */}}
{{- define "audience-sync.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "audience-sync.commonLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "audience-sync.labels" -}}
{{ include "audience-sync.selector" . }}
{{ include "audience-sync.commonLabels" . }}
{{- end -}}

{{/* Pods beside the service: another name, so that no selector of the service finds them. */}}
{{- define "audience-sync.emulatorSelector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}-emulator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
{{- define "audience-sync.testSelector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "audience-sync.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "audience-sync.serviceAccount" -}}
{{- if .Values.serviceAccount.name -}}
{{- .Values.serviceAccount.name -}}
{{- else if .Values.serviceAccount.create -}}
{{- include "audience-sync.name" . -}}
{{- else -}}
default
{{- end -}}
{{- end -}}

{{/* The rules' text: given, or those that ship. */}}
{{- define "audience-sync.rules" -}}
{{- .Values.rules | default (.Files.Get "files/rules.yaml") | trim -}}
{{- end -}}

{{- define "audience-sync.rulesConfigMap" -}}
{{- .Values.rulesConfigMap | default (include "audience-sync.name" .) -}}
{{- end -}}

{{/* How long a pod may take to stop, in whole seconds: longer than its drain, or what is being settled is cut off. */}}
{{- define "audience-sync.graceSeconds" -}}
{{- $drain := .Values.drainSeconds | float64 -}}
{{- if .Values.terminationGraceSeconds -}}
{{- int64 .Values.terminationGraceSeconds -}}
{{- else -}}
{{- add ($drain | ceil | int64) 15 -}}
{{- end -}}
{{- end -}}

{{/* What a pod and its containers may do: the least, as the "restricted" standard has it. */}}
{{- define "audience-sync.podSecurity" -}}
fsGroup: 10001
runAsGroup: 10001
runAsNonRoot: true
runAsUser: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}
{{- define "audience-sync.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
{{- end -}}

{{/* Ports that addresses name, or that belong to their schemes, as {port: true}. Takes a list of lists with commas. */}}
{{- define "audience-sync.portsOf" -}}
{{- range . -}}
{{- range splitList "," . -}}
{{- $address := trim . -}}
{{- $port := regexFind ":[0-9]+(/|$)" $address | trimPrefix ":" | trimSuffix "/" -}}
{{- if $port }}
{{ $port | quote }}: true
{{- else if hasPrefix "http://" $address }}
"80": true
{{- else if hasPrefix "https://" $address }}
"443": true
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
