// SPDX-License-Identifier: Apache-2.0
// Everything that is known of a file before its records are read: its facts, its mapping, its second file.

internal import CRM
internal import Diagnostics
internal import FileTransfer
internal import Mapping
internal import Model
internal import Tabular
internal import Unpacking

/// A file that is about to be read.
struct FileIntake: Sendable {
    /// What reads the file.
    struct Reading: Sendable {
        var mapping: MappingDefinition
        let plan: any ImportPlan
    }

    /// Its path, and the name it is shown under.
    let path: String
    let name: String
    private(set) var facts: FileFacts
    /// Path of the second file, which is kept behind the first, as one.
    private(set) var detail: String?
    private(set) var reading: Reading?
    /// Why nothing can read it.
    private(set) var refusal: Diagnostic?

    /// Looks at a file.
    ///
    /// - Parameters:
    ///   - siblings: the files of one archive, or the file alone.
    ///   - pairs: finds the second file of a mapping that reads two.
    init(
        _ part: UnpackedFile, among siblings: [UnpackedFile], _ pairs: inout PairedFiles,
        _ chooser: MappingChooser
    ) throws(FileError) {
        path = part.path
        name = part.name
        let file = try LocalFile(part.path)
        facts = try FileFacts(file)
        file.rewind()
        let head = FileHead(
            name: part.lastName, bytes: try file.read(upTo: FileHead.size), probe: facts.probe)
        do throws(MappingError) {
            let mapping = try chooser.choose(head).definition
            let second = try pairs.detail(of: part, among: siblings, mapping)
            guard let plan = ImportPlans.plan(for: mapping.target) else {
                refusal = Diagnostic(
                    code: ImportFinding.unsupportedEntity.rawValue, facts: ["entity": mapping.target.name])
                return
            }
            reading = Reading(mapping: mapping, plan: plan)
            detail = second?.path
        } catch {
            refusal = error.diagnostic
        }
        if let detail { facts = try FileFacts(file, try LocalFile(detail)) }
    }

    /// The file's name without folders.
    var lastName: String { String(name.split(separator: "/").last ?? "") }
}
