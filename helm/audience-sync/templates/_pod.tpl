{{/* Secrets that are mounted as files: {volume: {secret, keys}}. */}}
{{- define "audience-sync.secretFiles" -}}
{{- with .Values.credentials.existingSecret }}
audience-sync: {secret: {{ . | quote }}, keys: [signing-key]}
{{- end }}
{{- with .Values.admin.tokenSecret }}
admin-token: {secret: {{ . | quote }}, keys: [token]}
{{- end }}
{{- with .Values.kafka.saslSecret }}
kafka-sasl: {secret: {{ . | quote }}, keys: [username, password]}
{{- end }}
{{- with .Values.kafka.caSecret }}
kafka-ca: {secret: {{ . | quote }}, keys: [ca.crt]}
{{- end }}
{{- with .Values.kafka.clientSecret }}
kafka-client: {secret: {{ . | quote }}, keys: [tls.crt, tls.key]}
{{- end }}
{{- with .Values.registry.basicSecret }}
registry-basic: {secret: {{ . | quote }}, keys: [password]}
{{- end }}
{{- with .Values.registry.caSecret }}
registry-ca: {secret: {{ . | quote }}, keys: [ca.crt]}
{{- end }}
{{- end -}}

{{/* What the service, and whoever looks at its settings, is given: variables and files. */}}
{{- define "audience-sync.given" -}}
envFrom:
  - configMapRef:
      name: {{ include "audience-sync.name" . }}-settings
  {{- with .Values.extraEnvFrom }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- $secrets := list }}
{{- with .Values.credentials.existingSecret }}
{{- $secrets = append $secrets (list "CHAT__APP_ID" . "app-id") }}
{{- $secrets = append $secrets (list "CHAT__ADMIN" . "admin") }}
{{- end }}
{{- with .Values.registry.basicSecret }}
{{- $secrets = append $secrets (list "REGISTRY__USERNAME" . "username") }}
{{- end }}
env:
  {{- range $secrets }}
  - name: AUDIENCE_SYNC_{{ index . 0 }}
    valueFrom:
      secretKeyRef:
        name: {{ index . 1 }}
        key: {{ index . 2 }}
  {{- end }}
  {{- if and (eq .Values.workload "StatefulSet") (not .isTest) }}
  - name: AUDIENCE_SYNC_KAFKA__INSTANCE_ID
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumeMounts:
  - name: rules
    mountPath: /etc/audience-sync
    readOnly: true
  {{- range $name, $_ := include "audience-sync.secretFiles" . | fromYaml }}
  - name: {{ $name }}
    mountPath: /run/secrets/{{ $name }}
    readOnly: true
  {{- end }}
  - name: tmp
    mountPath: /tmp
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "audience-sync.volumes" -}}
- name: rules
  configMap:
    name: {{ include "audience-sync.rulesConfigMap" . }}
{{- range $name, $file := include "audience-sync.secretFiles" . | fromYaml }}
- name: {{ $name }}
  secret:
    secretName: {{ $file.secret }}
    defaultMode: 288 # 0440, which not every version of YAML takes for octal
    items:
      {{- range $file.keys }}
      - key: {{ . }}
        path: {{ . }}
      {{- end }}
{{- end }}
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 16Mi
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The pod of Deployment and StatefulSet. */}}
{{- define "audience-sync.pod" -}}
metadata:
  labels:
    {{- include "audience-sync.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/settings: {{ include "audience-sync.variables" . | sha256sum }}
    {{- if not .Values.rulesConfigMap }}
    {{- $rules := include "audience-sync.rules" . }}
    {{- if float64 .Values.rulesReloadSeconds }}
    checksum/sources: {{ (fromYaml $rules).sources | toJson | sha256sum }} # other rules are taken over without a restart
    {{- else }}
    checksum/rules: {{ $rules | sha256sum }}
    {{- end }}
    {{- end }}
    {{- if not (or .Values.serviceMonitor.enabled .Values.podMonitor.enabled) }}
    prometheus.io/scrape: "true"
    prometheus.io/path: /metrics
    prometheus.io/port: "8080"
    {{- end }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "audience-sync.serviceAccount" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false # they would add variables that begin like the settings
  terminationGracePeriodSeconds: {{ include "audience-sync.graceSeconds" . }}
  securityContext:
    {{- include "audience-sync.podSecurity" . | nindent 4 }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  containers:
    - name: audience-sync
      image: {{ include "audience-sync.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [run]
      {{- include "audience-sync.given" . | nindent 6 }}
      ports:
        - name: admin
          containerPort: 8080
      startupProbe:
        httpGet:
          path: /livez
          port: admin
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe: # progress of the process: green while the Chat API or a broker is away, or delivery is stopped
        httpGet:
          path: /livez
          port: admin
        periodSeconds: 10
        timeoutSeconds: 3
        failureThreshold: 3
      readinessProbe: # the work is being done
        httpGet:
          path: /readyz
          port: admin
        periodSeconds: 5
        timeoutSeconds: 3
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        {{- include "audience-sync.containerSecurity" . | nindent 8 }}
  volumes:
    {{- include "audience-sync.volumes" . | nindent 4 }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- range . }}
    - {{- toYaml . | nindent 6 }}
      {{- if not .labelSelector }}
      labelSelector:
        matchLabels:
          {{- include "audience-sync.selector" $ | nindent 10 }}
      {{- end }}
    {{- end }}
  {{- end }}
{{- end -}}
