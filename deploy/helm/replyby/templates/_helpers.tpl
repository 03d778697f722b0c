{{- define "replyby.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "replyby.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 53 | trimSuffix "-" -}}
{{- else if contains (include "replyby.name" .) .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "replyby.name" .) | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "replyby.selector" -}}
app.kubernetes.io/name: {{ include "replyby.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "replyby.labels" -}}
{{ include "replyby.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "replyby.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* What runs before the release is there has copies of its own: .suffix names them. */}}
{{- define "replyby.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
volumes:
  - name: settings
    configMap:
      name: {{ include "replyby.fullname" .root }}{{ .suffix }}
  - name: credentials
    secret:
      secretName: {{ include "replyby.secret" . }}
      defaultMode: 0440
  - name: state
    emptyDir:
      sizeLimit: 256Mi
  - name: tmp
    emptyDir:
      sizeLimit: 64Mi
{{- end -}}

{{- define "replyby.secret" -}}
{{- if .root.Values.secret.existing -}}
{{ .root.Values.secret.existing }}
{{- else if .root.Values.secret.values -}}
{{ include "replyby.fullname" .root }}{{ .suffix }}
{{- else -}}
{{ include "replyby.fullname" .root }}
{{- end -}}
{{- end -}}

{{- define "replyby.container" -}}
image: {{ include "replyby.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  - name: settings
    mountPath: /etc/replyby
    readOnly: true
  - name: credentials
    mountPath: /run/credentials
    readOnly: true
  - name: state
    mountPath: /var/lib/replyby
  - name: tmp
    mountPath: /tmp
env:
  - name: CREDENTIALS_DIRECTORY
    value: /run/credentials
  - name: REPLYBY_OPS__WORKERS
    value: {{ .Values.replicaCount | quote }}
  {{- if .Values.web.enabled }}
  - name: REPLYBY_WEB__LISTEN
    value: 0.0.0.0:8080
  {{- with .Values.web.publicUrl }}
  - name: REPLYBY_WEB__PUBLIC_URL
    value: {{ . | quote }}
  {{- end }}
  {{- with .Values.web.proxies }}
  - name: REPLYBY_WEB__PROXIES
    value: {{ toJson . | quote }}
  {{- end }}
  {{- end }}
  {{- if .Values.push.enabled }}
  - name: REPLYBY_PUSH__LISTEN
    value: 0.0.0.0:8081
  - name: REPLYBY_PUSH__PUBLIC_URL
    value: {{ required "push.publicUrl: the address that marketplaces are told" .Values.push.publicUrl | quote }}
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{- end -}}
