<#
.SYNOPSIS
Installs Nightpress on Windows: packages, a site folder, and the task that runs every night.

.DESCRIPTION
Run in an elevated PowerShell from a clone of the repository. It can be run again: what is there
stays. Written with care and not run: there was no Windows machine to try it on.

.EXAMPLE
.\deploy\windows\install.ps1 -Site C:\Sites\publications -Source 'Driver={ODBC Driver 18 for SQL Server};Server=db;Database=research;Trusted_Connection=yes'
#>
[CmdletBinding()]
param(
    [string] $Program = 'C:\Nightpress',
    [string] $Site = 'C:\Sites\publications',
    [string] $Source = ''
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$clone = (Resolve-Path (Join-Path $PSScriptRoot '..\..')).Path
$python = Join-Path $Program 'venv\Scripts\python.exe'
$nightpress = Join-Path $Program 'venv\Scripts\nightpress.exe'

function Invoke-Checked([string] $file, [string[]] $words) {
    & $file @words
    if ($LASTEXITCODE -ne 0) { throw "$file ended with exit code $LASTEXITCODE" }
}

New-Item -ItemType Directory -Force -Path $Program | Out-Null
if (-not (Test-Path $python)) {
    Invoke-Checked 'py' @('-3', '-m', 'venv', (Join-Path $Program 'venv'))
}
Push-Location $clone
try {
    Invoke-Checked $python @('-m', 'pip', 'install', '--require-hashes', '--no-deps', '-r', 'requirements.lock')
    Invoke-Checked $python @('-m', 'pip', 'install', '--no-deps', '--no-build-isolation', '.')
} finally {
    Pop-Location
}
# Apache reads its configuration from here.
Copy-Item -Recurse -Force (Join-Path $clone 'deploy') $Program

if (-not (Test-Path (Join-Path $Site 'pelicanconf.py'))) {
    Invoke-Checked $nightpress @('init', $Site)
}
# The night runs as NetworkService: it may write what it makes, and nothing else of the site.
foreach ($folder in 'var', 'output') {
    $path = Join-Path $Site $folder
    New-Item -ItemType Directory -Force -Path $path | Out-Null
    Invoke-Checked 'icacls' @($path, '/grant', '*S-1-5-20:(OI)(CI)M', '/Q')
}
if ($Source) {
    [Environment]::SetEnvironmentVariable('NIGHTPRESS_SOURCE', $Source, 'Machine')
}

$task = [xml] (Get-Content -Raw (Join-Path $PSScriptRoot 'nightpress-nightly.xml'))
$action = $task.Task.Actions.Exec
$action.Command = $nightpress
$action.Arguments = "nightly --site `"$Site`""
$action.WorkingDirectory = $Site
Register-ScheduledTask -TaskName 'Nightpress' -Xml $task.OuterXml -Force | Out-Null
Write-Host "Installed. Try the night now:  Start-ScheduledTask -TaskName Nightpress"
Write-Host "Its log is $(Join-Path $Site 'var\nightpress.log')."
