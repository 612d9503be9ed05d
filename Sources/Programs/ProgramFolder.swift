// SPDX-License-Identifier: Apache-2.0
// The folder that a program runs in: what it writes, its log, and what else it is given.

package import Foundation

/// A folder that nobody else can look into.
package struct ProgramFolder: Sendable {
    /// Where it is.
    package let url: URL
    /// What the program wrote on its standard output, once it has run.
    package var messages: URL { url.appending(path: "messages") }

    /// A place among temporary files, where nothing is yet.
    package static func place(for name: String) -> URL {
        FileManager.default.temporaryDirectory.appending(path: "relais-\(name)-\(UUID().uuidString)")
    }

    /// Makes the folder anew: what an earlier run left there is gone.
    package init(_ url: URL) throws {
        self.url = url
        try? FileManager.default.removeItem(at: url)
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// Runs a program to its end, as ``Program/run(input:output:errors:onLine:)`` does.
    package func run(
        _ program: Program, input: Data = Data(), onLine: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws {
        try await program.run(
            input: input, output: messages.path, errors: url.appending(path: "log").path, onLine: onLine)
    }

    /// Takes it away with all that is in it.
    package func clear() {
        try? FileManager.default.removeItem(at: url)
    }
}
