// SPDX-License-Identifier: Apache-2.0
// The settings of the ERP connector, declared once.

package import ConnectorKit

/// What the connector wants to know.
package enum ERPSettings {
    /// The files to read.
    package static let paths = SettingDescription(
        "paths", .list, required: true, fr: "Fichiers à lire, dans l'ordre.", en: "Files to read, in order.")

    /// Every setting.
    package static let all = [paths]
}
