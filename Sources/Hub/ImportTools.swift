// SPDX-License-Identifier: Apache-2.0
// What imports and replays that people begin are done with.

package import Mapping

/// The mappings and the settings of imports.
package struct ImportTools: Sendable {
    /// The mappings of now.
    package let mappings: MappingShelf
    /// How imports work.
    package let settings: ImportSettings

    /// The tools.
    package init(mappings: MappingShelf, settings: ImportSettings) {
        (self.mappings, self.settings) = (mappings, settings)
    }
}
