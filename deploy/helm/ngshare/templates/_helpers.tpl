{{/* Names and labels */}}

{{- define "ngshare.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "ngshare.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "ngshare.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "ngshare.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "ngshare.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ngshare.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ngshare.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "ngshare.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "ngshare.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "ngshare.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "ngshare.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "ngshare.claimName" -}}
{{- default (printf "%s-data" (include "ngshare.fullname" .)) .Values.persistence.existingClaim }}
{{- end }}

{{/* What was chosen; an empty text is "no" */}}

{{- define "ngshare.many" -}}
{{- if or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1) }}yes{{ end }}
{{- end }}

{{/* Pods that use the volume must be on the server's node, unless every node can mount it. */}}
{{- define "ngshare.sameNode" -}}
{{- if and .Values.persistence.enabled (not (has "ReadWriteMany" .Values.persistence.accessModes)) }}yes{{ end }}
{{- end }}

{{/* Addresses */}}

{{- define "ngshare.basePath" -}}
{{- printf "/%s/" (trimAll "/" .Values.hub.baseUrl) | replace "//" "/" }}
{{- end }}

{{- define "ngshare.prefix" -}}
{{- printf "%sservices/%s/" (include "ngshare.basePath" .) .Values.hub.serviceName }}
{{- end }}

{{- define "ngshare.hubSecretKey" -}}
{{- default (printf "hub.services.%s.apiToken" .Values.hub.serviceName) .Values.hub.existingSecretKey }}
{{- end }}

{{- define "ngshare.storageUrl" -}}
{{- with .Values.storage.s3 }}
{{- $options := list }}
{{- range list (list "endpoint_url" .endpointUrl) (list "public_endpoint_url" .publicEndpointUrl) (list "region_name" .region) (list "addressing_style" .addressingStyle) }}
{{- if index . 1 }}{{ $options = append $options (printf "%s=%s" (index . 0) (index . 1 | urlquery)) }}{{ end }}
{{- end }}
{{- printf "s3://%s" .bucket }}
{{- with .prefix }}/{{ trimAll "/" . }}{{ end }}
{{- with $options }}?{{ join "&" . }}{{ end }}
{{- end }}
{{- end }}

{{/* Refuse what cannot work, with all that is missing in one sentence */}}

{{- define "ngshare.validate" -}}
{{- $missing := list }}
{{- $why := "" }}
{{- $many := include "ngshare.many" . }}
{{- if or $many (not .Values.persistence.enabled) }}
  {{- $why = ternary "More than one replica (replicaCount, autoscaling.enabled) shares no disk" "Without a volume (persistence.enabled=false) a pod keeps nothing" (not (empty $many)) }}
  {{- if and $many .Values.persistence.enabled }}
    {{- $missing = append $missing "persistence.enabled=false" }}
  {{- end }}
  {{- if not .Values.database.existingSecret }}
    {{- $missing = append $missing "database.existingSecret (PostgreSQL)" }}
  {{- end }}
  {{- if not .Values.storage.s3.bucket }}
    {{- $missing = append $missing "storage.s3.bucket (an object store)" }}
  {{- end }}
  {{- if and $many (not .Values.cache.url) (not .Values.cache.existingSecret) }}
    {{- $missing = append $missing "cache.url or cache.existingSecret (Redis)" }}
  {{- end }}
  {{- if not .Values.secretKey.existingSecret }}
    {{- $missing = append $missing "secretKey.existingSecret (the key that signs receipts)" }}
  {{- end }}
{{- end }}
{{- with $missing }}
  {{- fail (printf "\n\n%s. Set also: %s.\n" $why (join ", " .)) }}
{{- end }}
{{- if and .Values.cache.url .Values.cache.existingSecret }}
  {{- fail "\n\nSet cache.url or cache.existingSecret, not both.\n" }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.existingSecret) }}
  {{- fail "\n\nmetrics.serviceMonitor.enabled needs metrics.existingSecret, the token that it sends.\n" }}
{{- end }}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) }}
  {{- fail "\n\nautoscaling.minReplicas is larger than autoscaling.maxReplicas.\n" }}
{{- end }}
{{- if .Values.backup.enabled }}
  {{- if or .Values.database.existingSecret .Values.storage.s3.bucket }}
    {{- fail "\n\nbackup.enabled is for SQLite and files on the volume: back up PostgreSQL and the object store by their own means.\n" }}
  {{- end }}
  {{- if not .Values.backup.existingClaim }}
    {{- fail "\n\nbackup.enabled: set also backup.existingClaim, the PersistentVolumeClaim to write to.\n" }}
  {{- end }}
{{- end }}
{{- range $name, $job := .Values.cronJobs }}
  {{- if and (ne (toString $job.enabled) "false") (gt (len (printf "%s-%s" (include "ngshare.fullname" $) $name)) 52) }}
    {{- fail (printf "\n\ncronJobs: the name %s is too long: Kubernetes allows 52 characters with the release's name.\n" $name) }}
  {{- end }}
{{- end }}
{{- end }}
