{{/* The service's settings, as variables: each value that files/variables.yaml knows, and what the chart itself knows. */}}
{{- define "audience-sync.variables" -}}
AUDIENCE_SYNC_ADMIN__BIND_PORT: "8080"
AUDIENCE_SYNC_RULES_FILE: /etc/audience-sync/rules.yaml
{{- range $path, $variable := .Files.Get "files/variables.yaml" | fromYaml }}
{{- $value := $.Values }}
{{- range splitList "." $path }}
{{- $value = get ($value | default dict) . }}
{{- end }}
{{- if kindIs "string" $value }}
{{- if $value }}
{{ $variable }}: {{ $value | quote }}
{{- end }}
{{- else if not (kindIs "invalid" $value) }}
{{ $variable }}: {{ $value | toJson | quote }}
{{- end }}
{{- end }}
{{- if .Values.emulator.enabled }}
AUDIENCE_SYNC_CHAT__BASE_URL: http://{{ include "audience-sync.name" . }}-emulator:8090
{{- end }}
{{- if .Values.credentials.existingSecret }}
AUDIENCE_SYNC_CHAT__SIGNING_KEY_FILE: /run/secrets/audience-sync/signing-key
{{- end }}
{{- if .Values.admin.tokenSecret }}
AUDIENCE_SYNC_ADMIN__TOKEN_FILE: /run/secrets/admin-token/token
{{- end }}
{{- if .Values.kafka.caSecret }}
AUDIENCE_SYNC_KAFKA__SSL_CA_FILE: /run/secrets/kafka-ca/ca.crt
{{- end }}
{{- if .Values.kafka.clientSecret }}
AUDIENCE_SYNC_KAFKA__SSL_CERTIFICATE_FILE: /run/secrets/kafka-client/tls.crt
AUDIENCE_SYNC_KAFKA__SSL_KEY_FILE: /run/secrets/kafka-client/tls.key
{{- end }}
{{- if .Values.kafka.saslSecret }}
AUDIENCE_SYNC_KAFKA__SASL_USERNAME_FILE: /run/secrets/kafka-sasl/username
AUDIENCE_SYNC_KAFKA__SASL_PASSWORD_FILE: /run/secrets/kafka-sasl/password
{{- end }}
{{- if .Values.registry.basicSecret }}
AUDIENCE_SYNC_REGISTRY__PASSWORD_FILE: /run/secrets/registry-basic/password
{{- end }}
{{- if .Values.registry.caSecret }}
AUDIENCE_SYNC_REGISTRY__CA_FILE: /run/secrets/registry-ca/ca.crt
{{- end }}
{{- end -}}
