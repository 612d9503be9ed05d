// SPDX-License-Identifier: Apache-2.0
// What axe-core finds wrong with a page for users of assistive technology.

internal import Foundation

/// The faults of the page, one line each: rule, impact, what to do, and the first three elements.
///
/// - Parameter within: selector of the part to look at; the whole page unless it is given.
package func axeViolations(in browser: Browser, within: String? = nil) async throws -> [String] {
    let run = """
        return axe.run(arguments[0] ?? document, {resultTypes: ["violations"]}).then(found =>
            found.violations.map(v => [v.id, v.impact ?? "", v.help,
                v.nodes.slice(0, 3).map(n => n.target.flat().join(" ")).join(", ")]))
        """
    let found = try await browser.script(
        try Axe.source() + "\n" + run, [within.map { .string($0) } ?? .null])
    return found.array.map { violation in
        let parts = violation.array.map { $0.string ?? "" }
        return parts.joined(separator: " | ")
    }
}

/// axe-core, as `make bootstrap` puts it into the virtual environment.
private enum Axe {
    static func source() throws -> String {
        let library = Repository.root.appending(path: ".venv/lib")
        let versions = try FileManager.default.contentsOfDirectory(
            at: library, includingPropertiesForKeys: nil)
        let places = versions.map {
            $0.appending(path: "site-packages/axe_playwright_python/axe.min.js")
        }
        guard let file = places.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else {
            throw BrowserError(code: "no axe-core", message: "run `make bootstrap`: \(library.path)")
        }
        return try String(contentsOf: file, encoding: .utf8)
    }
}
