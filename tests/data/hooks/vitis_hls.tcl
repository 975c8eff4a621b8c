# Plays vitis_hls: its commands with their own answers, as far as the snippet meets them. The report is written where
# csynth_design writes it; ::report_for says which one.
set ::calls {}
foreach name {open_component set_top set_part create_clock add_files config_compile set_directive_pipeline \
        set_directive_unroll csim_design close_project} {
    proc $name {args} "lappend ::calls \[list $name {*}\$args\]; return {}"
}
proc open_project {args} { set ::project [lindex $args end]; file mkdir $::project }
proc open_solution {args} { set ::solution [lindex $args 0]; file mkdir [file join $::project $::solution] }
proc csynth_design {args} {
    if {$::fails} { error "ERROR: \[HLS 200-70\] synthesis failed" }
    puts "csynth ran: $args"
    set folder [file join $::project $::solution syn report]
    file mkdir $folder
    if {$::report ne ""} { file copy -force $::report [file join $folder csynth.xml] }
    return "0"
}
