// SPDX-License-Identifier: Apache-2.0
// The settings of the ERP connector, declared once.

package import ConnectorKit

/// What the connector wants to know.
package enum ERPSettings {
    /// The files to read.
    package static let paths = SettingDescription(
        "paths", .list, fr: "Fichiers à lire, dans l'ordre (ou un dossier : from).",
        en: "Files to read, in order (or a folder: from).")

    /// The folder that files arrive in.
    package static let from = SettingDescription(
        "from", .text, fr: "Dossier où les fichiers arrivent, chemin absolu.",
        en: "Folder that files arrive in, an absolute path.")

    /// The names that are meant.
    package static let pattern = SettingDescription(
        "pattern", .text, fr: "Noms voulus, par exemple *.csv ; sans lui, tous.",
        en: "Names that are meant, such as *.csv; without it, all.")

    /// What becomes of a file afterwards.
    package static let after = SettingDescription(
        "after", .text,
        fr: "Ce que devient un fichier appliqué : move (dans done/), delete ou keep ; move sans lui.",
        en: "What becomes of a file that was applied: move (to done/), delete or keep; move without it.")

    /// How long a file must lie still.
    package static let stillness = SettingDescription(
        "stillness", .text, fr: "Secondes sans changement avant qu'un fichier soit lu ; 5 sans lui.",
        en: "Seconds without a change before a file is read; 5 without it.")

    /// Every setting.
    package static let all = [paths, from, pattern, after, stillness]
}
