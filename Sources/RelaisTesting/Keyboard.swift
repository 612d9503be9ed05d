// SPDX-License-Identifier: Apache-2.0
// Names of keys, and the characters that WebDriver has for them.

/// Keys as tests write them.
enum Keyboard {
    /// W3C WebDriver, section 17.4.2.
    private static let named = [
        "backspace": "\u{E003}", "tab": "\u{E004}", "enter": "\u{E007}", "shift": "\u{E008}",
        "ctrl": "\u{E009}", "alt": "\u{E00A}", "escape": "\u{E00C}", "space": " ", "pageup": "\u{E00E}",
        "pagedown": "\u{E00F}", "end": "\u{E010}", "home": "\u{E011}", "arrowleft": "\u{E012}",
        "arrowup": "\u{E013}", "arrowright": "\u{E014}", "arrowdown": "\u{E015}", "delete": "\u{E017}",
        "f1": "\u{E031}", "f2": "\u{E032}", "meta": "\u{E03D}",
    ]

    /// What to press, in this order, for `ctrl+K`; a letter with a modifier other than shift is a small one.
    static func strokes(_ keys: String) throws -> [String] {
        guard keys.count > 1 else { return [keys] }
        let parts = keys.split(separator: "+").map { $0.lowercased() }
        return try parts.map { part in
            if let stroke = named[part] { return stroke }
            guard part.count == 1 else { throw BrowserError(code: "no such key", message: keys) }
            return parts.contains("shift") ? part.uppercased() : part
        }
    }
}
