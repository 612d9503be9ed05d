// SPDX-License-Identifier: Apache-2.0
// Where files are put: a folder of this machine or of another, with the settings that sources of files have.

package import ConnectorKit
package import Diagnostics
internal import FileTransfer

/// The folders that files are put into.
package enum FileTargets {
    private static let description = ConnectorDescription(
        id: "outgoing", version: 1,
        settings: [
            FileSettings.hostKeys, FileSettings.authorities, FileSettings.timeout, FileSettings.region,
            FileSettings.password, FileSettings.privateKey,
        ], mappings: [])

    /// What is wrong with an address and its settings.
    package static func check(_ address: String, _ settings: Settings) -> [Diagnostic] {
        settings.findings(for: description) + FileSources.checkNumbers(settings)
            + checkAddress(address, settings)
    }

    private static func checkAddress(_ address: String, _ settings: Settings) -> [Diagnostic] {
        guard RemoteAddress.isMeant(address) else {
            guard !address.hasPrefix("/") else { return [] }
            return [
                Diagnostic(
                    code: "SETTING-VALUE", facts: ["setting": "to", "expected": "/… | sftp://…"],
                    place: Place(field: "to", value: address))
            ]
        }
        do throws(TransferError) {
            guard RemoteAddress.Scheme.folders.contains(try RemoteAddress(address).scheme) else {
                throw RemoteAddress.noFolder(address)
            }
            return FileSources.checkRemote(address, settings)
        } catch {
            var finding = error.diagnostic
            finding.facts["setting"] = "to"
            return [finding]
        }
    }

    /// Puts a file of this machine into a folder; under its name it has all its bytes or does not exist.
    ///
    /// A file of that name there is replaced: another attempt brings the same.
    /// - Throws: `TRANSFER-…`; `FILE-UNWRITABLE` for a folder of this machine.
    package static func store(
        _ path: String, as name: String, in address: String, _ settings: Settings
    ) async throws {
        guard RemoteAddress.isMeant(address) else { return try copy(path, to: address, as: name) }
        let remote = try RemoteAddress(address)
        try await RemoteFolders.open(remote, FileSources.access(settings)).store(path, as: name)
    }

    private static func copy(_ path: String, to folder: String, as name: String) throws(FileError) {
        let source = try LocalFile(path)
        var target = try DurableFile(in: folder, isShared: true)
        while true {
            let bytes = try source.read(upTo: 1 << 20)
            if bytes.isEmpty { break }
            try target.write(bytes)
        }
        try target.finish(as: name)
    }
}
