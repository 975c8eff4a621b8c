# From `hwml hooks vitis`. Source this file first in your Vitis HLS or Vivado HLS script:
#
#     source hwml.tcl
#
# Before csynth_design it predicts the design, after it it reads the report and prints predicted against actual; both
# are kept in hwml_csynth.jsonl in the project's folder. It listens only: no command is replaced, none can fail by it.

namespace eval ::hwml {
    # The hwml that is called; where this is empty, the one on PATH, and where there is none, the one that wrote this.
    variable command @COMMAND@
    variable writer @WRITER@
    variable stated {}
    variable folder [pwd]
    variable project ""
    variable solution ""
}

# Words of open_project, open_solution and open_component that are neither options nor their values.
proc ::hwml::name_in {words} {
    set names {}
    set skip 0
    foreach word [lrange $words 1 end] {
        if {$skip} {
            set skip 0
        } elseif {$word eq "-reset"} {
            continue
        } elseif {[string match -* $word]} {
            set skip 1
        } else {
            lappend names $word
        }
    }
    return [lindex $names 0]
}

proc ::hwml::listen {words operation} {
    variable stated
    variable folder
    variable project
    variable solution
    catch {
        switch -- [namespace tail [lindex $words 0]] {
            open_project - open_component {
                set project [file join [pwd] [name_in $words]]
                set solution ""
                set stated {}
            }
            open_solution { set solution [name_in $words] }
            add_files { set folder [pwd]; lappend stated $words }
            default { lappend stated $words }
        }
    }
}

proc ::hwml::place {} {
    variable project
    variable solution
    foreach place [list [file join $project $solution] $project [pwd]] {
        if {$place ne "" && [file isdirectory $place]} { return $place }
    }
}

# The words that call hwml. Folders of PATH that are not named in full are passed over: they may be the project's.
# PYTHONPATH, which vendors' scripts set, is not for it.
proc ::hwml::program {} {
    variable command
    variable writer
    if {[llength $command] > 0} { return $command }
    foreach folder [split $::env(PATH) :] {
        set file [file join $folder hwml]
        if {[file pathtype $folder] eq "absolute" && [file executable $file] && ![file isdirectory $file]} {
            return [list env -u PYTHONPATH $file]
        }
    }
    return $writer
}

proc ::hwml::call {args} {
    # Vitis puts its own libraries first, which are none for other programs.
    set words [concat [program] $args]
    if {[catch { exec env -u LD_LIBRARY_PATH -u LD_PRELOAD -u PYTHONHOME {*}$words 2>@1 } output]} {
        regsub {\nchild process exited abnormally$} $output {} output
        regsub {^hwml: } $output {} output
        error $output
    }
    return $output
}

proc ::hwml::before {words operation} {
    variable stated
    variable folder
    set script [file join $folder .hwml_stated_[pid].tcl]
    catch { file delete -- [file join [place] hwml_prediction.json] }
    if {[catch {
        set channel [open $script w]
        fconfigure $channel -encoding utf-8
        foreach line $stated { puts $channel $line }
        close $channel
        puts [call hooks predict --script $script --out [file join [place] hwml_prediction.json]]
    } message]} {
        puts "hwml: no prediction: $message"
    }
    catch { file delete -- $script }
}

proc ::hwml::after {words code result operation} {
    if {$code != 0} { return }
    if {[catch {
        set prediction [file join [place] hwml_prediction.json]
        if {[file exists $prediction]} {
            puts [call hooks compare --prediction $prediction --report [place]]
        }
    } message]} {
        puts "hwml: no comparison: $message"
    }
}

foreach name [concat {open_project open_component open_solution set_top set_part create_clock add_files} \
        [info commands set_directive_*] [info commands config_*]] {
    # The tool may load a command only when it is first used.
    catch { auto_load $name }
    catch { trace add execution $name enter ::hwml::listen }
}
catch { auto_load csynth_design }
if {[catch {
    trace add execution csynth_design enter ::hwml::before
    trace add execution csynth_design leave ::hwml::after
} message]} {
    puts "hwml: csynth_design is not known here ($message); source this file in vitis_hls, vitis-run or vivado_hls"
}
