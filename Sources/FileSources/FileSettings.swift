// SPDX-License-Identifier: Apache-2.0
// The settings of every connector whose data are files, declared once.

package import ConnectorKit

/// What a source of files wants to know.
package enum FileSettings {
    /// The files to read.
    package static let paths = SettingDescription(
        "paths", .list, fr: "Fichiers à lire, dans l’ordre (ou un dossier : from).",
        en: "Files to read, in order (or a folder: from).")

    /// The folder that files arrive in.
    package static let from = SettingDescription(
        "from", .text,
        fr:
            "Où les fichiers arrivent : dossier (chemin absolu, sftp, ftps, ftpes, davs, s3), boîte imaps, fichier https.",
        en:
            "Where files arrive: folder (absolute path, sftp, ftps, ftpes, davs, s3), mailbox at imaps, file at https."
    )

    /// The names that are meant.
    package static let pattern = SettingDescription(
        "pattern", .text, fr: "Noms voulus, par exemple *.csv ; sans lui, tous.",
        en: "Names that are meant, such as *.csv; without it, all.")

    /// What becomes of a file afterwards.
    package static let after = SettingDescription(
        "after", .text,
        fr:
            "Ce que devient un fichier appliqué : move (dans done/), delete ou keep ; move ici, keep ailleurs.",
        en: "What becomes of an applied file: move (to done/), delete or keep; move here, keep elsewhere.")

    /// How long a file must lie still.
    package static let stillness = SettingDescription(
        "stillness", .text, fr: "Secondes sans changement avant qu’un fichier soit lu ; 5 sans lui.",
        en: "Seconds without a change before a file is read; 5 without it.")

    /// What says that a file is ready.
    package static let doneFile = SettingDescription(
        "done_file", .text,
        fr: "Fichier qui dit qu’un autre est complet, par exemple {name}.done ; lui seul compte alors.",
        en: "File that says of another that it is whole, such as {name}.done; then nothing else does.")

    /// SSH keys that the machine may show.
    package static let hostKeys = SettingDescription(
        "host_keys", .list, fr: "Empreintes SHA256:… des clés SSH que le serveur peut montrer.",
        en: "SHA256:… fingerprints of the SSH keys that the server may show.")

    /// Who may vouch for a TLS server.
    package static let authorities = SettingDescription(
        "authorities", .text,
        fr: "Fichier PEM des autorités qui garantissent le serveur TLS ; sans lui, celles du système.",
        en: "PEM file of the authorities that vouch for the TLS server; without it, the system's.")

    /// How long a server may say nothing.
    package static let timeout = SettingDescription(
        "timeout", .text, fr: "Secondes de silence après lesquelles un serveur est abandonné ; 60 sans lui.",
        en: "Seconds of silence after which a server is given up; 60 without it.")

    /// The password.
    package static let password = SettingDescription(
        "password", .text, secret: true, fr: "Mot de passe, ou clé secrète S3, par le nom de son secret.",
        en: "Password, or secret key of S3, by the name of its secret.")

    /// The SSH key.
    package static let privateKey = SettingDescription(
        "private_key", .text, secret: true, fr: "Clé privée SSH, par le nom de son secret.",
        en: "SSH private key, by the name of its secret.")

    /// Where an S3 store is.
    package static let region = SettingDescription(
        "region", .text, fr: "Région d’un stockage S3 ; us-east-1 sans elle.",
        en: "Region of an S3 store; us-east-1 without it.")

    /// Every setting.
    package static let all = [
        paths, from, pattern, after, stillness, doneFile, hostKeys, authorities, timeout, region, password,
        privateKey,
    ]
}
