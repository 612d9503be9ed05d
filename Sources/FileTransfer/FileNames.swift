// SPDX-License-Identifier: Apache-2.0
// Which names of a folder are meant, here and on other machines.

internal import Diagnostics
internal import Glibc

/// Names that are meant.
package struct FileNames: Sendable {
    /// With `*`, `?` and `[…]`; all when empty.
    private let pattern: String

    private static let unfinished = [".tmp", ".part", ".filepart", ".crdownload"]

    /// Names like a pattern, with `*`, `?` and `[…]`; all when empty.
    package init(pattern: String) {
        self.pattern = pattern
    }

    /// Not hidden, not unfinished, and like the pattern.
    package func isMeant(_ name: String) -> Bool {
        guard !name.hasPrefix("."), !name.hasPrefix("~"), !name.hasSuffix("~"),
            !Self.unfinished.contains(where: name.lowercased().hasSuffix)
        else { return false }
        return unsafe pattern.isEmpty || fnmatch(pattern, name, ignoringCase) == 0
    }

    /// Whether a text can be the name of a file that others see: no path, not hidden, nothing that fools a terminal, nor
    /// eyes by turning its letters round.
    package static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 255 && !text.hasPrefix(".") && !text.contains("\\")
            && !text.unicodeScalars.contains { $0.properties.isBidiControl } && name(Array(text.utf8)) != nil
    }

    /// The name that bytes mean; nil for what could lead elsewhere or fool a terminal.
    static func name(_ bytes: [UInt8]) -> String? {
        guard let name = String(validating: bytes, as: UTF8.self), !name.contains("/"),
            !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return nil }
        return name
    }

    /// What is shown of a name that is none.
    static func shown(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self).unicodeScalars.map {
            $0.properties.generalCategory == .control ? "␤" : String($0)
        }.joined()
    }
}

/// `FNM_CASEFOLD`, which glibc's headers hide from Swift (`fnmatch.h`).
private let ignoringCase: Int32 = 1 << 4
