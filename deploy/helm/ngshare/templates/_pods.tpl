{{/* What all pods of the chart have in common. */}}

{{/* Without versions: a change of the chart alone restarts nothing. */}}
{{- define "ngshare.podLabels" -}}
{{ include "ngshare.selectorLabels" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
hub.jupyter.org/network-access-hub: "true"
{{- with .Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "ngshare.podSpec" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* The affinity of a pod that uses the volume beside the server. */}}
{{- define "ngshare.besideServer" -}}
{{- if include "ngshare.sameNode" . }}
affinity:
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "ngshare.selectorLabels" . | nindent 12 }}
            app.kubernetes.io/component: server
{{- end }}
{{- end }}

{{- define "ngshare.container" -}}
image: {{ include "ngshare.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
terminationMessagePolicy: FallbackToLogsOnError
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The environment of a command that does not speak to the Hub, and of one that does. */}}

{{- define "ngshare.dataEnv" -}}
env:
  {{- include "ngshare.variables" . | nindent 2 }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "ngshare.env" -}}
{{ include "ngshare.dataEnv" . }}
  - name: JUPYTERHUB_API_TOKEN
    {{- include "ngshare.secretRef" (list .Values.hub.existingSecret (include "ngshare.hubSecretKey" .)) | nindent 4 }}
{{- with .Values.metrics }}
{{- if .existingSecret }}
  - name: NGSHARE_METRICS_TOKEN
    {{- include "ngshare.secretRef" (list .existingSecret .existingSecretKey) | nindent 4 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "ngshare.secretRef" -}}
valueFrom:
  secretKeyRef:
    name: {{ index . 0 }}
    key: {{ index . 1 }}
{{- end }}

{{- define "ngshare.variables" -}}
{{- /* A folder below the volume: the service keeps other accounts out of it, and cannot change the volume's own root. */ -}}
- name: NGSHARE_DATA
  value: /var/lib/ngshare/data
{{- with .Values.secretKey }}
{{- if .existingSecret }}
- name: NGSHARE_SECRET_KEY
  {{- include "ngshare.secretRef" (list .existingSecret .existingSecretKey) | nindent 2 }}
{{- if .fallbacksKey }}
- name: NGSHARE_SECRET_KEY_FALLBACKS
  {{- include "ngshare.secretRef" (list .existingSecret .fallbacksKey) | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.database }}
{{- if .existingSecret }}
- name: DATABASE_URL
  {{- include "ngshare.secretRef" (list .existingSecret .existingSecretKey) | nindent 2 }}
{{- end }}
{{- end }}
{{- with .Values.mail }}
{{- if .existingSecret }}
- name: NGSHARE_MAIL_SERVER
  {{- include "ngshare.secretRef" (list .existingSecret .existingSecretKey) | nindent 2 }}
{{- end }}
{{- end }}
{{- with .Values.storage.s3 }}
{{- if .bucket }}
- name: NGSHARE_STORAGE
  value: {{ include "ngshare.storageUrl" $ | quote }}
{{- if .existingSecret }}
- name: AWS_ACCESS_KEY_ID
  {{- include "ngshare.secretRef" (list .existingSecret .accessKeyIdKey) | nindent 2 }}
- name: AWS_SECRET_ACCESS_KEY
  {{- include "ngshare.secretRef" (list .existingSecret .secretAccessKeyKey) | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.cache }}
{{- if .existingSecret }}
- name: NGSHARE_CACHE
  {{- include "ngshare.secretRef" (list .existingSecret .existingSecretKey) | nindent 2 }}
{{- else if .url }}
- name: NGSHARE_CACHE
  value: {{ .url | quote }}
{{- end }}
{{- end }}
- name: JUPYTERHUB_API_URL
  value: {{ printf "%s%shub/api" (trimSuffix "/" .Values.hub.url) (include "ngshare.basePath" .) | quote }}
- name: JUPYTERHUB_BASE_URL
  value: {{ include "ngshare.basePath" . | quote }}
- name: JUPYTERHUB_SERVICE_NAME
  value: {{ .Values.hub.serviceName | quote }}
- name: JUPYTERHUB_SERVICE_PREFIX
  value: {{ include "ngshare.prefix" . | quote }}
{{- with .Values.hub.publicUrl }}
- name: JUPYTERHUB_PUBLIC_URL
  value: {{ printf "%s%s" . (include "ngshare.prefix" $) | quote }}
- name: JUPYTERHUB_PUBLIC_HUB_URL
  value: {{ printf "%s%shub/" . (include "ngshare.basePath" $) | quote }}
{{- end }}
{{- with .Values.admins }}
- name: NGSHARE_ADMINS
  value: {{ join "," . | quote }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  {{- if and (eq $name "NGSHARE_ALLOWED_HOSTS") $value }}
  {{- /* The names that probes, `helm test` and the plugin use */}}
  value: {{ printf "%s,localhost,%s,%s" $value (include "ngshare.fullname" $) (get (urlParse $.Values.hub.proxyUrl) "hostname") | trimSuffix "," | quote }}
  {{- else }}
  value: {{ $value | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "ngshare.volumeMounts" -}}
- name: data
  mountPath: /var/lib/ngshare
{{ include "ngshare.otherMounts" . }}
{{- end }}

{{- define "ngshare.otherMounts" -}}
- name: tmp
  mountPath: /tmp
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "ngshare.volumes" -}}
- name: data
  {{- if .Values.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ include "ngshare.claimName" . }}
  {{- else }}
  {{- include "ngshare.scratch" . | nindent 2 }}
  {{- end }}
{{ include "ngshare.otherVolumes" . }}
{{- end }}

{{- define "ngshare.otherVolumes" -}}
- name: tmp
  {{- include "ngshare.scratch" . | nindent 2 }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "ngshare.scratch" -}}
{{- if .Values.scratchSizeLimit -}}
emptyDir:
  sizeLimit: {{ .Values.scratchSizeLimit }}
{{- else -}}
emptyDir: {}
{{- end }}
{{- end }}

{{/* A probe: the name that is always allowed (NGSHARE_ALLOWED_HOSTS), not the pod's address. */}}
{{- define "ngshare.probe" -}}
httpGet:
  path: {{ index . 0 }}
  port: http
  httpHeaders:
    - name: Host
      value: localhost
{{ toYaml (index . 1) }}
{{- end }}
