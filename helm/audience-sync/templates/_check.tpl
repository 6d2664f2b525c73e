{{/* What must be given, and what can't be meant, in words. Single values are checked by values.schema.json. */}}
{{- define "audience-sync.check" -}}
{{- $v := .Values -}}
{{- if not $v.credentials.existingSecret -}}
{{- if not (and $v.chat.appId $v.chat.signingKeyFile) -}}
{{- fail "credentials.existingSecret: name a Secret with the keys app-id, admin and signing-key; or give chat.appId and chat.signingKeyFile, where a secret manager writes the key into a file" -}}
{{- end -}}
{{- else if or $v.chat.appId $v.chat.admin $v.chat.signingKeyFile -}}
{{- fail "credentials.existingSecret already says what chat.appId, chat.admin and chat.signingKeyFile would: give one or the other" -}}
{{- end -}}
{{- if not $v.kafka.bootstrapServers -}}
{{- fail "kafka.bootstrapServers: where are the brokers? Give host:port, several with commas between them" -}}
{{- end -}}
{{- if lt (float64 $v.debounce.longestWaitSeconds) (float64 $v.debounce.quietSeconds) -}}
{{- fail (printf "debounce.longestWaitSeconds (%v) must not be below debounce.quietSeconds (%v)" $v.debounce.longestWaitSeconds $v.debounce.quietSeconds) -}}
{{- end -}}
{{- if hasPrefix "SASL" $v.kafka.securityProtocol -}}
{{- if not $v.kafka.saslMechanism -}}
{{- fail (printf "kafka.saslMechanism is needed with kafka.securityProtocol %s" $v.kafka.securityProtocol) -}}
{{- else if eq $v.kafka.saslMechanism "OAUTHBEARER" -}}
{{- if not $v.kafka.saslTokenFile -}}
{{- fail "kafka.saslTokenFile is needed with OAUTHBEARER: the path of a token, mounted by extraVolumes" -}}
{{- end -}}
{{- else if not (or $v.kafka.saslSecret (and (or $v.kafka.saslUsername $v.kafka.saslUsernameFile) $v.kafka.saslPasswordFile)) -}}
{{- fail (printf "kafka.saslSecret is needed with %s: a Secret with the keys username and password; or kafka.saslUsername, or its file, and kafka.saslPasswordFile" $v.kafka.saslMechanism) -}}
{{- end -}}
{{- else if or $v.kafka.saslMechanism $v.kafka.saslSecret -}}
{{- fail (printf "kafka.saslMechanism and kafka.saslSecret mean nothing with kafka.securityProtocol %s: choose SASL_SSL or SASL_PLAINTEXT" $v.kafka.securityProtocol) -}}
{{- end -}}
{{- $twice := list
    (list "kafka.saslSecret" $v.kafka.saslSecret "kafka.saslPasswordFile" $v.kafka.saslPasswordFile)
    (list "kafka.saslSecret" $v.kafka.saslSecret "kafka.saslUsername" $v.kafka.saslUsername)
    (list "kafka.saslSecret" $v.kafka.saslSecret "kafka.saslUsernameFile" $v.kafka.saslUsernameFile)
    (list "kafka.caSecret" $v.kafka.caSecret "kafka.sslCaFile" $v.kafka.sslCaFile)
    (list "kafka.clientSecret" $v.kafka.clientSecret "kafka.sslCertificateFile" $v.kafka.sslCertificateFile)
    (list "admin.tokenSecret" $v.admin.tokenSecret "admin.tokenFile" $v.admin.tokenFile)
    (list "registry.basicSecret" $v.registry.basicSecret "registry.passwordFile" $v.registry.passwordFile)
    (list "registry.caSecret" $v.registry.caSecret "registry.caFile" $v.registry.caFile)
    (list "emulator.enabled" $v.emulator.enabled "chat.baseUrl" $v.chat.baseUrl)
    (list "rules" $v.rules "rulesConfigMap" $v.rulesConfigMap)
    (list "serviceMonitor.enabled" $v.serviceMonitor.enabled "podMonitor.enabled" $v.podMonitor.enabled)
-}}
{{- range $twice -}}
{{- if and (index . 1) (index . 3) -}}
{{- fail (printf "%s and %s exclude each other: give one of them" (index . 0) (index . 2)) -}}
{{- end -}}
{{- end -}}
{{- if and $v.emulator.enabled (not $v.credentials.existingSecret) -}}
{{- fail "emulator.enabled needs credentials.existingSecret: the emulator takes its key from there" -}}
{{- end -}}
{{- $rules := include "audience-sync.rules" . | fromYaml -}}
{{- if and (not $v.rulesConfigMap) (or (hasKey $rules "Error") (not $rules.sources)) -}}
{{- fail (printf "rules: this is no rules file: %s" ($rules.Error | default "it has no sources")) -}}
{{- end -}}
{{- if le (int64 (include "audience-sync.graceSeconds" .)) (int64 (floor (float64 $v.drainSeconds))) -}}
{{- fail (printf "terminationGraceSeconds (%v) must be above drainSeconds (%v), or pods are killed while they settle; 0 leaves it to the chart" $v.terminationGraceSeconds $v.drainSeconds) -}}
{{- end -}}
{{- with $v.autoscaling -}}
{{- if ne .by "none" -}}
{{- if lt (int64 .maxReplicas) (int64 .minReplicas) -}}
{{- fail (printf "autoscaling.maxReplicas (%v) must not be below autoscaling.minReplicas (%v)" .maxReplicas .minReplicas) -}}
{{- end -}}
{{- end -}}
{{- if and (eq .by "keda") (not .keda.serverAddress) -}}
{{- fail "autoscaling.keda.serverAddress: where is Prometheus? Such as http://prometheus.monitoring:9090" -}}
{{- end -}}
{{- end -}}
{{- if and $v.prometheusRule.enabled (not (.Files.Get "files/alerts.yaml")) -}}
{{- fail "prometheusRule.enabled: this chart has no files/alerts.yaml" -}}
{{- end -}}
{{- range $v.extraEnv -}}
{{- if and (regexMatch "(SIGNING_KEY|PASSWORD|TOKEN|OTLP_HEADERS|OTLP_TRACES_HEADERS)$" .name) (hasKey . "value") -}}
{{- fail (printf "extraEnv %s: a secret must not stand in values: use valueFrom with a Secret" .name) -}}
{{- end -}}
{{- if eq .name "AUDIENCE_SYNC_KAFKA__INSTANCE_ID" -}}
{{- fail "extraEnv AUDIENCE_SYNC_KAFKA__INSTANCE_ID: replicas with one name put each other out of the group; workload: StatefulSet gives each its own" -}}
{{- end -}}
{{- end -}}
{{- include "audience-sync.secretsExist" . -}}
{{- end -}}

{{/* Only on request, and only where helm can see: a lookup without a cluster finds nothing at all. */}}
{{- define "audience-sync.secretsExist" -}}
{{- if and .Values.credentials.mustExist (lookup "v1" "Namespace" "" "default") -}}
{{- $needed := list
    (list "credentials.existingSecret" .Values.credentials.existingSecret (list "app-id" "admin" "signing-key"))
    (list "admin.tokenSecret" .Values.admin.tokenSecret (list "token"))
    (list "kafka.saslSecret" .Values.kafka.saslSecret (list "username" "password"))
    (list "kafka.caSecret" .Values.kafka.caSecret (list "ca.crt"))
    (list "kafka.clientSecret" .Values.kafka.clientSecret (list "tls.crt" "tls.key"))
    (list "registry.basicSecret" .Values.registry.basicSecret (list "username" "password"))
    (list "registry.caSecret" .Values.registry.caSecret (list "ca.crt"))
-}}
{{- $namespace := .Release.Namespace -}}
{{- range $needed -}}
{{- $value := index . 0 -}}
{{- $name := index . 1 -}}
{{- if $name -}}
{{- $found := lookup "v1" "Secret" $namespace $name -}}
{{- if not $found -}}
{{- fail (printf "%s: there is no Secret %s in the namespace %s; create it first, with the keys %s" $value $name $namespace (index . 2 | join ", ")) -}}
{{- end -}}
{{- range index . 2 -}}
{{- if not (hasKey ($found.data | default dict) .) -}}
{{- fail (printf "%s: the Secret %s in the namespace %s has no key %s" $value $name $namespace .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
