// SPDX-License-Identifier: Apache-2.0
// Files of a folder that are taken to be read, and where they go when they are done.

package import Diagnostics
internal import Foundation
internal import Glibc

extension HotFolder {
    private var workFolder: String { "\(path)/.work" }
    private static let separator = "__"

    /// A file that is being read, under a name that nobody else writes to.
    package struct Claim: Sendable {
        /// Its name as it arrived.
        package let name: String
        /// Where it is now.
        package let path: String
    }

    /// Takes a file out of the sight of others; nil when it is gone already.
    package func claim(_ file: Fingerprint) throws(FileError) -> Claim? {
        try Self.make(workFolder)
        let target = "\(workFolder)/\(UUID().uuidString)\(Self.separator)\(file.name)"
        guard unsafe rename("\(path)/\(file.name)", target) == 0 else {
            guard errno == ENOENT else {
                throw FileError(.unwritable, SystemFault.facts(), at: Place(file: target))
            }
            return nil
        }
        // At once: whatever lies there later says so of the next file of that name.
        if let mark { unsafe unlink("\(path)/\(mark.name(for: file.name))") }
        return Claim(name: file.name, path: target)
    }

    /// Files that were taken by a run that died.
    package func leftovers() -> [Claim] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: workFolder)) ?? []
        return names.sorted().compactMap { entry in
            guard let end = entry.range(of: Self.separator)?.upperBound else { return nil }
            return Claim(name: String(entry[end...]), path: "\(workFolder)/\(entry)")
        }
    }

    /// Puts a file that is done into `done/` of the day.
    package func keep(_ claim: Claim) throws(FileError) {
        let folder = "\(path)/done/\(day)"
        try Self.make(folder)
        try move(claim, to: folder, as: Self.freeName(claim.name, in: folder))
    }

    /// Puts a file that was refused into `quarantine/`, with a report beside it.
    package func refuse(_ claim: Claim, _ reason: Diagnostic) throws(FileError) {
        let folder = "\(path)/quarantine"
        try Self.make(folder)
        let name = Self.freeName(claim.name, in: folder)
        let report = reason.facts.merging(["code": reason.code]) { $1 }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        // First, so that no file lies there without its reason: what a full disk stops is tried again.
        var file = try DurableFile(in: folder)
        try file.write(Array((try? encoder.encode(report)) ?? Data()))
        try file.finish(as: name + ".report.json")
        try move(claim, to: folder, as: name)
    }

    /// Deletes a file that is done.
    package func delete(_ claim: Claim) throws(FileError) {
        guard unsafe unlink(claim.path) == 0 || errno == ENOENT else {
            throw FileError(.unwritable, SystemFault.facts(), at: Place(file: claim.path))
        }
    }

    private func move(_ claim: Claim, to folder: String, as name: String) throws(FileError) {
        guard unsafe rename(claim.path, "\(folder)/\(name)") == 0 else {
            throw FileError(.unwritable, SystemFault.facts(), at: Place(file: folder))
        }
    }

    /// Files of one name arrive every day; none takes the place of another.
    private static func freeName(_ name: String, in folder: String) -> String {
        FileManager.default.fileExists(atPath: "\(folder)/\(name)")
            ? "\(UUID().uuidString.prefix(8))-\(name)" : name
    }

    private var day: String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents([.year, .month, .day], from: now())
        let digits = [parts.month ?? 0, parts.day ?? 0].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return "\(parts.year ?? 0)-\(digits.joined(separator: "-"))"
    }

    private static func make(_ folder: String) throws(FileError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError(.unwritable, SystemFault.facts(error), at: Place(file: folder))
        }
    }
}
