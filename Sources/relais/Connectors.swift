// SPDX-License-Identifier: Apache-2.0
// The connectors of this program: the one place that names them.

internal import ERPConnector
internal import Hub
internal import ProgramConnector
internal import SingerConnector

/// Every connector; a repository test compares this with the folders.
let connectors = ConnectorRegistry([ERPConnector.self, ProgramConnector.self, SingerConnector.self])
